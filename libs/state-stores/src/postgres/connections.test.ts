import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { NotAppliedError } from '../outcome.ts'
import { PostgresConnections } from './connections.ts'
import { findWritable } from './find-writable.ts'
import { parseServers } from './servers.ts'

interface Door {
  readonly url: string
  readonly knocks: () => number
  /** Ends all connections. */
  readonly slam: () => void
}

/** Counts who knocks. */
async function door(answer: (socket: Socket) => void): Promise<Door> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    answer(socket)
  }).listen(0, '127.0.0.1')
  const slam = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    slam()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { url: `postgres://me:s3cret@127.0.0.1:${port}/x`, knocks: () => sockets.size, slam }
}

function connectTo(url: string, nowMs: () => number): PostgresConnections {
  const settings = { connectionTimeoutMillis: 30_000 }
  return new PostgresConnections({ servers: parseServers(url), settings, random: () => 1, nowMs })
}

const refusal = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error)
const ask = (connections: PostgresConnections) => refusal(connections.use((session) => session.query('SELECT 1')))

test('a server that is away is looked for after pauses that grow to a second; who comes between is refused at once', async () => {
  const { url, knocks } = await door((socket) => socket.destroy())
  let nowMs = 0
  await using connections = connectTo(url, () => nowMs)
  for (const [index, pauseMs] of [50, 100, 200, 400, 800, 1_000, 1_000].entries()) {
    const error = await ask(connections)
    expect(error).toBeInstanceOf(NotAppliedError)
    expect(error).toMatchObject({
      message: expect.stringMatching(/^PostgreSQL at 127\.0\.0\.1:\d+ cannot be reached: \S/),
      cause: expect.any(Error),
    })
    nowMs += pauseMs - 1
    await expect(ask(connections)).resolves.toBeInstanceOf(NotAppliedError)
    expect(knocks()).toBe(index + 1)
    nowMs += 1
  }
})

test('one caller at a time looks whether it is back', async () => {
  let silent = false
  const { url, knocks, slam } = await door((socket) => void (silent || socket.destroy()))
  let nowMs = 0
  await using connections = connectTo(url, () => nowMs)
  await ask(connections)
  silent = true
  nowMs = 60_000
  const looking = ask(connections)
  await waitUntil(() => knocks() === 2)
  await expect(Promise.all([ask(connections), ask(connections)])).resolves.toEqual([
    expect.any(NotAppliedError),
    expect.any(NotAppliedError),
  ])
  expect(knocks()).toBe(2)
  slam()
  await expect(looking).resolves.toBeInstanceOf(NotAppliedError)
})

await describeOnBackend('postgres', ({ url }) => {
  test('an error of the caller, or a refusal, is no reason to take the server for lost', async () => {
    await using connections = connectTo(url, () => 0)
    const own = new Error('own')
    await expect(connections.use(() => Promise.reject(own))).rejects.toBe(own)
    await expect(connections.use((session) => session.query('SELEC'))).rejects.toMatchObject({ code: '42601' })
    await expect(connections.use((session) => session.query('SELECT 1'))).resolves.toMatchObject({ rowCount: 1 })
  })

  test('a connection on which something failed is not used again', async () => {
    await using connections = connectTo(url, () => 0)
    const backend = (): Promise<number> =>
      connections.use(async (session) => {
        const { rows } = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        return rows[0]?.pid ?? 0
      })
    const pid = await backend()
    await expect(backend()).resolves.toBe(pid)
    await refusal(connections.use((session) => session.query('BEGIN; SELEC')))
    await expect(backend()).resolves.not.toBe(pid)
  })

  test('a server whose timeline was left is not written to, though it would take writes', async () => {
    const two = parseServers(url.replace(/(@[^/]*)/, '$1,127.0.0.1:1'))
    await expect(findWritable(two, 5_000, 1)).resolves.toMatchObject({ timeline: 1 })
    await expect(findWritable(two, 5_000, 2)).rejects.toThrow(
      /^none of them is a primary \(127\.0\.0\.1:\d+ is an old primary, which has a successor; 127\.0\.0\.1:1: .*ECONNREFUSED/,
    )
  })
})
