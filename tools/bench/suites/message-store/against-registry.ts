import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { app } from '../../../platform/services/app.ts'
import type { BenchCase } from '../../case.ts'
import { closedLoop } from '../../closed-loop.ts'
import { benchFolder } from '../../folder.ts'
import { startServer } from '../../server.ts'
import { debianProgram, freePort, peerOrNone, startPeer } from './peer-program.ts'

const connections = 64

export const putAgainstRegistry: BenchCase = {
  name: 'message-store/put-vs-docker-registry',
  unit: 'blobs/s',
  higherIsBetter: true,
  compares: `durable PUT /cas of 1 KiB with a push of the same (POST and PUT) to Debian's docker-registry; ${connections} connections of one client`,
  async open(stack, { measureMs }) {
    const store = await benchFolder(stack)
    const peer = await peerOrNone(putAgainstRegistry.name, () => startRegistry(stack))
    const ours = await startServer(stack, app('message-store', 'serve', 0, ['--store', `lmdb:${store}`]))
    const agent = new Agent({ keepAlive: true, maxSockets: connections })
    stack.defer(() => agent.destroy())
    const put = async (): Promise<void> => {
      const { bytes, digest } = fresh()
      await ask(agent, 'PUT', `${ours}/cas/${digest}`, bytes)
    }
    const push = async (registry: string): Promise<void> => {
      const { bytes, digest } = fresh()
      const upload = new URL(await ask(agent, 'POST', `${registry}/v2/bench/blobs/uploads/`), registry)
      upload.searchParams.set('digest', `sha256:${digest}`)
      await ask(agent, 'PUT', upload.href, bytes)
    }
    return {
      ours: () => closedLoop(connections, measureMs, put),
      ...(peer !== undefined && { peer: () => closedLoop(connections, measureMs, () => push(peer)) }),
    }
  },
}

async function startRegistry(stack: AsyncDisposableStack): Promise<string> {
  const registry = await debianProgram('docker-registry', 'docker-registry')
  const folder = await benchFolder(stack)
  const address = `127.0.0.1:${await freePort()}`
  const settings = join(folder, 'config.yml')
  await writeFile(
    settings,
    `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${folder}/blobs}}
http: {addr: '${address}'}
`,
  )
  await startPeer(stack, registry, ['serve', settings], `http://${address}/v2/`)
  return `http://${address}`
}

function fresh(): { readonly bytes: Buffer<ArrayBuffer>; readonly digest: string } {
  const bytes = Buffer.from(crypto.randomUUID().padEnd(1_024, '-'))
  return { bytes, digest: createHash('sha256').update(bytes).digest('hex') }
}

/** Resolves with `Location`; rejects when the answer is not 201 or 202. */
function ask(agent: Agent, method: string, url: string, body = Buffer.alloc(0)): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': body.length, 'content-type': 'application/octet-stream' }
    const asked = request(url, { method, agent, headers }, (answer) => {
      answer.resume().once('end', () => {
        if (answer.statusCode === 201 || answer.statusCode === 202) resolve(answer.headers.location ?? '')
        else reject(new Error(`${method} ${url} was answered ${answer.statusCode}`))
      })
    })
    asked.once('error', reject).end(body)
  })
}
