import { randomUUID } from 'node:crypto'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startFaultProxy } from '@ballast/fault-proxy'
import { waitUntil } from '@ballast/testing'
import { connect, createServer } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { NotAppliedError } from '../outcome.ts'
import { describeLostMessages, describeServerLife, type FaultSuite } from './contract/faults.ts'
import { add, one, token } from './contract/operations.ts'
import { testTwoProcesses } from './contract/two-processes.ts'
import { redisCounterStore } from './redis.ts'
import { commitScript } from './redis/commit-script.ts'

const suite: FaultSuite = {
  kind: 'redis',
  name: /Redis at 127\.0\.0\.1:\d+/,
  lostRequest: 'is not applied',
  end: 'kill',
  async path(backend) {
    const proxy = await startFaultProxy({ target: backend.url })
    onTestFinished(() => proxy[Symbol.asyncDispose]())
    return {
      open: (options) => redisCounterStore({ ...options, url: `${proxy.url}?prefix=test-${randomUUID()}` }),
      loseAnswer: async () => proxy.set({ drop: 'answers' }),
      loseRequest: async () => proxy.set({ drop: 'requests' }),
      lost: async () => void (await waitUntil(() => proxy.droppedBytes > 0)),
      heal: async () => proxy.heal(),
    }
  },
  open: (url, options) => redisCounterStore({ ...options, url }),
}

await describeOnBackend('redis', (backend) => {
  describeLostMessages(suite, backend)
  describeServerLife(suite)
  testTwoProcesses(async () => {
    const url = `${backend.url}?prefix=test-${randomUUID()}`
    return () => redisCounterStore({ url })
  })

  test('a batch that arrives after it was given up changes nothing', async () => {
    await using proxy = await startFaultProxy({ target: backend.url })
    const url = `${proxy.url}?prefix=test-${randomUUID()}`
    await using store = await redisCounterStore({ url, timeoutMs: 1_000, resolveMs: 15_000 })
    await one(store, add('n/a', 1n))
    // What is sent from now on, on connections that are open, is under way for a long time.
    proxy.set({ latencyMs: 4_000 })
    const writing = one(store, add('n/a', 1n))
    writing.catch(() => {})
    await waitUntil(
      () =>
        store.check().then(
          () => false,
          () => true,
        ),
      { what: 'the connection to be given up' },
    )
    proxy.heal()
    await expect(writing).rejects.toThrow(NotAppliedError)
    // The proxy closes the old connection when it has delivered what was under way.
    await waitUntil(() => proxy.connections === 1, { timeoutMs: 15_000, what: 'the late batch to arrive' })
    await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 1n }])
  })

  test('a batch is sent once, however its connection ends', async () => {
    const { hostname, port } = new URL(backend.url)
    let sent = 0
    // Ends the connection with a batch on it: twice before the server has it, then with the server having it.
    const server = createServer((client) => {
      const upstream = connect(Number(port), hostname)
      for (const socket of [client, upstream]) socket.on('error', () => {})
      client.on('data', (bytes) => {
        const isBatch = bytes.includes(commitScript.sha)
        sent += isBatch ? 1 : 0
        if (!isBatch || sent === 3) upstream.write(bytes)
        if (isBatch) setImmediate(() => client.destroy())
      })
      client.on('close', () => upstream.end())
      upstream.on('data', (bytes) => client.writable && client.write(bytes))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    const proxied = typeof address === 'object' && address !== null ? address.port : 0
    await using store = await redisCounterStore({
      url: `redis://127.0.0.1:${proxied}?prefix=test-${randomUUID()}`,
      timeoutMs: 3_000,
    })
    const op = add('n/a', 1n, { token: token('k') })
    for (const attempt of [1, 2]) {
      await expect(one(store, op)).rejects.toThrow(NotAppliedError)
      expect(sent).toBe(attempt)
    }
    const settled = await Promise.allSettled([one(store, op)])
    expect(sent).toBe(3)
    expect(settled[0]?.status === 'fulfilled' || settled[0]?.reason instanceof NotAppliedError).toBe(true)
  })
})
