import { hash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { app } from '../../../platform/services/app.ts'
import type { BenchCase } from '../../case.ts'
import { benchFolder } from '../../folder.ts'
import { KeepAliveClient } from '../../keep-alive-client.ts'
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
    return {
      ours: () => blobsPerSecond(ours, measureMs, put),
      ...(peer !== undefined && { peer: () => blobsPerSecond(peer, measureMs, push) }),
    }
  },
}

async function put(client: KeepAliveClient): Promise<void> {
  const { bytes, digest } = fresh()
  await ask(client, 'PUT', `/cas/${digest}`, bytes)
}

async function push(client: KeepAliveClient): Promise<void> {
  const { bytes, digest } = fresh()
  const { pathname, searchParams } = new URL(await ask(client, 'POST', '/v2/bench/blobs/uploads/'), 'http://registry')
  searchParams.set('digest', `sha256:${digest}`)
  await ask(client, 'PUT', `${pathname}?${searchParams.toString()}`, bytes)
}

/** Each connection sends its next blob when it has the answer to the last one. */
async function blobsPerSecond(
  url: string,
  durationMs: number,
  store: (client: KeepAliveClient) => Promise<void>,
): Promise<number> {
  const startedMs = performance.now()
  let blobs = 0
  const connection = async (): Promise<void> => {
    using client = new KeepAliveClient(url)
    while (performance.now() < startedMs + durationMs) {
      await store(client)
      blobs++
    }
  }
  await Promise.all(Array.from({ length: connections }, connection))
  return (blobs * 1000) / (performance.now() - startedMs)
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

function fresh(): { readonly bytes: Buffer; readonly digest: string } {
  const bytes = Buffer.from(crypto.randomUUID().padEnd(1_024, '-'))
  return { bytes, digest: hash('sha256', bytes) }
}

/** Resolves with `Location`; rejects when the answer is not 201 or 202. */
async function ask(client: KeepAliveClient, method: string, path: string, body?: Buffer): Promise<string> {
  const { status, head } = await client.ask(method, path, body)
  if (status !== 201 && status !== 202) throw new Error(`${method} ${path} was answered ${status}`)
  return /\r\nlocation: *(\S+)/i.exec(head)?.[1] ?? ''
}
