import { execFile } from 'node:child_process'
import { access, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { app, appProgram } from '../../../platform/services/app.ts'
import type { BenchCase, Effort } from '../../case.ts'
import { benchFolder } from '../../folder.ts'
import { program } from '../../server.ts'
import { freePort, PeerMissingError, peerOrNone, startPeer } from './peer-program.ts'

const run = promisify(execFile)

interface Certificate {
  readonly cert: string
  readonly key: string
}

async function certificateIn(folder: string): Promise<Certificate> {
  await run(process.execPath, [...appProgram('message-store', 'certificate', ['--folder', folder])])
  return { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
}

async function startOurs(stack: AsyncDisposableStack, certificate: Certificate): Promise<string> {
  const { cert, key } = certificate
  const port = await freePort()
  const flags = ['--store', `lmdb:${await benchFolder(stack)}`, '--tls-cert', cert, '--tls-key', key]
  const url = `https://127.0.0.1:${port}`
  await startOverTls(stack, process.execPath, app('message-store', 'serve', port, flags), url, certificate)
  return url
}

async function startOverTls(
  stack: AsyncDisposableStack,
  command: string,
  args: readonly string[],
  url: string,
  { cert }: Certificate,
): Promise<void> {
  await startPeer(stack, command, args, `${url}/readyz`, await readFile(cert, 'utf8'))
}

/** The original's client as a process of its own, with its own `-t 6 -N 20`; as many messages as the effort is worth. */
function client(url: string, { cert }: Certificate, { measureMs }: Effort): () => Promise<number> {
  const flags = ['--url', url, '--ca', cert, '--tasks', '6', '--length', '20', '--count', String(measureMs / 10)]
  return async () => {
    const { stdout } = await run(process.execPath, [...appProgram('message-store', 'bench', flags)])
    return Number(/Requests per second: (\d+)/.exec(stdout)?.[1])
  }
}

const shape = 'POST, GET and DELETE of messages of 20 characters over TLS, 6 connections of one Node client'

const trivial = 'a trivial node:https handler over a Map'
const sanic = 'a Sanic server of 20 workers that writes files and syncs nothing'

async function startTrivial(stack: AsyncDisposableStack, certificate: Certificate): Promise<string> {
  const { cert, key } = certificate
  const url = `https://127.0.0.1:${await freePort()}`
  await startOverTls(stack, process.execPath, program('servers/trivial-messages.ts', url, cert, key), url, certificate)
  return url
}

async function startSanic(stack: AsyncDisposableStack, certificate: Certificate): Promise<string> {
  const { cert, key } = certificate
  const url = `https://127.0.0.1:${await freePort()}`
  const server = fileURLToPath(new URL('../../servers/sanic-messages.py', import.meta.url))
  const args = [server, url, cert, key, join(await benchFolder(stack), 'messages')]
  await startOverTls(stack, await pythonWithSanic(), args, url, certificate)
  return url
}

export const seedBenchAgainstNoOp: BenchCase = {
  name: 'message-store/seed-bench-vs-noop',
  unit: 'requests/s',
  higherIsBetter: true,
  compares: `${shape}; durable, with ${trivial}`,
  async open(stack, effort) {
    const certificate = await certificateIn(await benchFolder(stack))
    const ours = await startOurs(stack, certificate)
    const peer = await startTrivial(stack, certificate)
    return { ours: client(ours, certificate, effort), peer: client(peer, certificate, effort) }
  },
}

function againstSanic(name: string, compares: string, start: typeof startOurs): BenchCase {
  return {
    name,
    unit: 'requests/s',
    higherIsBetter: true,
    compares,
    async open(stack, effort) {
      const certificate = await certificateIn(await benchFolder(stack))
      const first = await start(stack, certificate)
      const peer = await peerOrNone(name, () => startSanic(stack, certificate))
      return {
        ours: client(first, certificate, effort),
        ...(peer !== undefined && { peer: client(peer, certificate, effort) }),
      }
    },
  }
}

export const seedBenchAgainstSanic = againstSanic(
  'message-store/seed-bench-vs-sanic',
  `${shape}; durable and one process, with ${sanic}`,
  startOurs,
)

/** What no server in Node could pass: the client is the same one, on the same processors. */
export const seedBenchCeiling = againstSanic(
  'message-store/seed-bench-ceiling-vs-sanic',
  `${shape}; the ceiling of this client: ${trivial}, with ${sanic}`,
  startTrivial,
)

/** A Python that has Sanic: the one of the cache folder, made there where BACKENDS_INSTALL=1 asks for that. */
async function pythonWithSanic(): Promise<string> {
  const folder = join(process.env['BALLAST_CACHE'] ?? join(homedir(), '.cache', 'ballast'), 'sanic')
  const python = join(folder, 'bin', 'python')
  const made = await access(join(folder, 'ready')).then(
    () => true,
    () => false,
  )
  if (made) return python
  if (process.env['BACKENDS_INSTALL'] === '1') {
    try {
      await run('python3', ['-m', 'venv', folder])
      await run(python, ['-m', 'pip', 'install', '--quiet', 'sanic==25.12.1'])
      await writeFile(join(folder, 'ready'), '')
      return python
    } catch (cause) {
      throw new PeerMissingError('Sanic could not be installed from PyPI', { cause })
    }
  }
  throw new PeerMissingError(`there is no Sanic in ${folder}: set BACKENDS_INSTALL=1 to have it made`)
}
