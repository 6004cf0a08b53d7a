import { randomUUID } from 'node:crypto'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startFaultProxy } from '@ballast/fault-proxy'
import { waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { NotAppliedError } from '../outcome.ts'
import { describeLostMessages, describeServerLife, type FaultSuite } from './contract/faults.ts'
import { add, one } from './contract/operations.ts'
import { redisCounterStore } from './redis.ts'

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
})
