import { readdir, readlink } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { startMessageStore, type MessageStoreProcess } from './message-store-process.ts'
import { post, sha256 } from './messages-client.ts'

const message = 'x'.repeat(8_000_000)
const request = `GET /messages/${sha256(message)} HTTP/1.1\r\nHost: a\r\n\r\n`

/** Large messages that the process has open. */
async function openMessages({ pid }: MessageStoreProcess): Promise<number> {
  const folder = `/proc/${pid}/fd`
  const targets = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')))
  return targets.filter((target) => target.includes('/files/')).length
}

async function inFlight({ url }: MessageStoreProcess): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^http_server_requests_in_flight\{.*\} (\d+)$/m.exec(text)?.[1])
}

function client({ url }: MessageStoreProcess): Socket {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname).on('error', () => {})
  onTestFinished(() => void socket.destroy())
  return socket
}

test('clients that reset at any moment leave no open file behind', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  expect(await post(server.url, message)).toBe(201)
  for (let round = 0; round < 200; round++) {
    const socket = client(server)
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('close', () => resolve())
    socket.write(request, () => setTimeout(() => socket.resetAndDestroy(), round % 5))
    await promise
  }
  await waitUntil(async () => (await openMessages(server)) === 0, { timeoutMs: 60_000 })
  await waitUntil(async () => (await inFlight(server)) === 1, { timeoutMs: 60_000 })
  expect(server.stderr.join('\n')).not.toContain('garbage collection')
})

test('a client that pipelines and reads nothing has one file open, and what waits is forgotten with it', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  expect(await post(server.url, message)).toBe(201)
  const sockets = Array.from({ length: 4 }, () => client(server).pause())
  for (const socket of sockets) socket.write(request.repeat(60))
  await waitUntil(async () => (await inFlight(server)) === 241, { timeoutMs: 60_000 })
  expect(await openMessages(server)).toBeLessThanOrEqual(4)
  for (const socket of sockets) socket.destroy()
  await waitUntil(async () => (await inFlight(server)) === 1, { timeoutMs: 60_000 })
  await waitUntil(async () => (await openMessages(server)) === 0, { timeoutMs: 60_000 })
})

test('pipelined requests are answered in order; more than 64 at a time are cut off', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  const words = Array.from({ length: 64 }, (_, index) => `${index} `.repeat(index % 8 === 0 ? 40_000 : 1))
  for (const word of words) await post(server.url, word)
  const polite = client(server)
  let received = ''
  polite.on('data', (piece) => (received += String(piece)))
  polite.write(words.map((word) => `GET /messages/${sha256(word)} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''))
  const answered = (): (string | undefined)[] => [...received.matchAll(/^etag: "(\w+)"/gm)].map(([, digest]) => digest)
  await waitUntil(() => answered().length === 64, { timeoutMs: 60_000 })
  expect(answered()).toEqual(words.map((word) => sha256(word)))

  const greedy = client(server)
  let ended = false
  greedy.once('close', () => (ended = true)).resume()
  greedy.write(`GET /messages/${sha256(words[0] ?? '')} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(65))
  await waitUntil(() => ended, { timeoutMs: 60_000 })
  await waitUntil(async () => (await inFlight(server)) === 1, { timeoutMs: 60_000 })
  await waitUntil(async () => (await openMessages(server)) === 0, { timeoutMs: 60_000 })
})
