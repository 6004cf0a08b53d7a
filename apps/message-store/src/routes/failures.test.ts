import { connect } from 'node:net'
import type { BlobStore } from '@ballast/state-stores/blob'
import { UnreadableBlobError } from '@ballast/state-stores/blob'
import { MemoryBlobStore } from '@ballast/state-stores/blob/memory'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { testApp } from '../test-app.ts'

const foo = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae'
const bar = 'fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9'

const errno = (code: string | number): Error => Object.assign(new Error('errno'), { code })

/** A store that does one thing differently. */
function storeWith(overrides: Partial<BlobStore>): BlobStore {
  const store = new MemoryBlobStore()
  return Object.assign(store, overrides)
}

const series = async (app: Awaited<ReturnType<typeof testApp>>['app'], name: string): Promise<number> => {
  const { body } = await app.inject('/metrics')
  return Number(new RegExp(`^${name.replaceAll(/[{}]/g, String.raw`\$&`)}.* (\\S+)$`, 'm').exec(body)?.[1])
}

test.each([
  [new NotAppliedError('busy'), 503, 'not-applied', '1'],
  [new NotAppliedError('no room', { cause: errno('ENOSPC') }), 507, 'store-full', undefined],
  [new NotAppliedError('no room', { cause: errno(28) }), 507, 'store-full', undefined],
  [new NotAppliedError('no writes', { cause: errno('EROFS') }), 503, 'store-read-only', '5'],
  [new OutcomeUnknownError('lost'), 504, 'outcome-unknown', undefined],
  [new Error('secret'), 500, 'internal', undefined],
])('%s becomes %i', async (error, status, code, retryAfter) => {
  const fails = async (): Promise<never> => {
    throw error
  }
  const { app } = await testApp({ store: storeWith({ putSmall: fails, remove: fails }) })
  const posted = await app.inject({ method: 'POST', url: '/messages', payload: { message: 'foo' } })
  const deleted = await app.inject({ method: 'DELETE', url: `/messages/${foo}` })
  for (const answer of [posted, deleted]) {
    expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([status, code])
    expect(answer.headers['retry-after']).toBe(retryAfter)
    expect(answer.body).not.toContain('secret')
  }
})

test('a full disk is told in other words to who deletes: deleting something else would be no way out', async () => {
  const full = new NotAppliedError('no room', { cause: errno('ENOSPC') })
  const { app } = await testApp({ store: storeWith({ remove: () => Promise.reject(full) }) })
  for (const url of [`/messages/${foo}`, `/cas/${foo}`, '/ac/key', `/v2/team/app/blobs/sha256:${foo}`]) {
    const answer = await app.inject({ method: 'DELETE', url })
    expect([url, answer.statusCode]).toEqual([url, 507])
    expect(answer.body).toContain('Nothing was deleted')
    expect(answer.body).not.toContain('Delete something')
  }
})

test.each([new UnreadableBlobError('secret'), new NotAppliedError('secret'), new OutcomeUnknownError('secret')])(
  'what cannot be read is 503, wherever it is asked for: $name',
  async (error) => {
    const fails = async (): Promise<never> => {
      throw error
    }
    const { app } = await testApp({ store: storeWith({ open: fails, stat: fails, scan: fails }) })
    const asked = [
      { url: `/messages/${foo}` },
      { url: `/cas/${foo}` },
      { url: `/cas/${foo}`, headers: { range: 'bytes=0-1' } },
      { method: 'HEAD', url: `/cas/${foo}` },
      { url: '/ac/key' },
      { url: '/cas' },
      { url: '/bazel/main/cas/' + foo },
      { url: '/nx/v1/cache/1' },
      { method: 'POST', url: '/cas/batch/stat', payload: { digests: [foo] } },
      { method: 'POST', url: '/cas/batch/get', payload: { digests: [foo] } },
      { url: `/cas/uploads/${'a'.repeat(32)}` },
      { url: `/v2/team/app/blobs/sha256:${foo}` },
    ] as const
    for (const each of asked) {
      const answer = await app.inject(each)
      expect([each.url, answer.statusCode, answer.headers['retry-after']]).toEqual([each.url, 503, '5'])
      expect(answer.body).not.toContain('secret')
      // OCI's errors have a form of their own; HEAD has none.
      expect(answer.body).toMatch(/^$|store-unavailable/)
    }
    const { statusCode } = await app.inject('/metrics')
    expect(statusCode).toBe(200)
  },
)

test('metrics are there while the store cannot be read; what it would say is left out', async () => {
  let fails = false
  const memory = new MemoryBlobStore()
  const usage = memory.usage.bind(memory)
  const { app } = await testApp({
    store: Object.assign(memory, {
      usage: () => {
        if (fails) throw new UnreadableBlobError('the disk')
        return usage()
      },
    }),
  })
  expect(await series(app, 'message_store_messages')).toBe(0)
  fails = true
  expect(await series(app, 'message_store_messages')).toBeNaN()
  expect(await series(app, 'message_store_queue_depth')).toBe(0)
  fails = false
  expect(await series(app, 'message_store_messages')).toBe(0)
})

test('one message that a store refuses does not fail those that shared its commit', async () => {
  const store = new MemoryBlobStore()
  const putSmall = store.putSmall.bind(store)
  const poisoned = storeWith({
    putSmall: async (entries) => {
      if (entries.some(({ name }) => name.key === foo)) throw new NotAppliedError('poison')
      return putSmall(entries)
    },
  })
  const { app } = await testApp({ store: poisoned })
  const answers = await Promise.all(
    ['a', 'foo', 'b', 'bar'].map((message) => app.inject({ method: 'POST', url: '/messages', payload: { message } })),
  )
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 503, 201, 201])
})

test('damaged bytes are never given out, and counted', async () => {
  const store = new MemoryBlobStore()
  const { app } = await testApp({ store })
  await app.inject({ method: 'POST', url: '/messages', payload: { message: 'foo' } })
  store.damage(foo)
  const answer = await app.inject(`/messages/${foo}`)
  expect([answer.statusCode, answer.json<{ code: string }>().code]).toEqual([500, 'message-damaged'])
  expect(answer.headers.etag).toBeUndefined()
  expect(await series(app, 'message_store_gets_total{outcome="damaged"')).toBe(1)
})

test('requests that arrive together share a commit; the queue is bounded', async () => {
  const gate = Promise.withResolvers<void>()
  const memory = new MemoryBlobStore()
  const batches: number[] = []
  const slow = storeWith({
    putSmall: async (entries) => {
      batches.push(entries.length)
      await gate.promise
      return memory.putSmall(entries)
    },
  })
  const { app } = await testApp({ store: slow, limits: { maxQueued: 3, maxQueuedBytes: 100 } })
  const send = async (message: string) => app.inject({ method: 'POST', url: '/messages', payload: { message } })
  const first = send('first')
  await waitUntil(() => batches.length > 0)
  const waiting = [send('a'), send('b'), send('x'.repeat(60))]
  const tooMany = await Promise.all([send('c'), send('y'.repeat(60))])
  expect(tooMany.map(({ statusCode }) => statusCode)).toEqual([503, 503])
  gate.resolve()
  expect((await Promise.all([first, ...waiting])).map(({ statusCode }) => statusCode)).toEqual([201, 201, 201, 201])
  expect(batches).toEqual([1, 3])
  expect(await series(app, 'message_store_commit_entries_sum')).toBe(4)
  expect(await series(app, 'message_store_puts_total{outcome="not-applied"')).toBe(2)
  expect(await series(app, 'message_store_written_bytes_total')).toBe(67)
})

test('reads and deletions are counted by what they found', async () => {
  const { app } = await testApp()
  await app.inject({ method: 'POST', url: '/messages', payload: { message: 'bar' } })
  await app.inject({ method: 'POST', url: '/messages', payload: { message: 'bar' } })
  await app.inject(`/messages/${bar}`)
  await app.inject({ url: `/messages/${bar}`, headers: { 'if-none-match': `"${bar}"` } })
  await app.inject(`/messages/${foo}`)
  expect(await series(app, 'message_store_messages')).toBe(1)
  expect(await series(app, 'message_store_stored_bytes')).toBe(3)
  await app.inject({ method: 'DELETE', url: `/messages/${bar}` })
  await app.inject({ method: 'DELETE', url: `/messages/${bar}` })
  const outcomes = ['hit', 'not-modified', 'miss'].map((outcome) => `message_store_gets_total{outcome="${outcome}"`)
  const puts = ['created', 'exists'].map((outcome) => `message_store_puts_total{outcome="${outcome}"`)
  const deletes = ['removed', 'missing'].map((outcome) => `message_store_deletes_total{outcome="${outcome}"`)
  for (const name of [...outcomes, ...puts, ...deletes]) expect([name, await series(app, name)]).toEqual([name, 1])
  expect(await series(app, 'message_store_read_bytes_total')).toBe(3)
})

async function* body(): AsyncGenerator<Buffer> {
  await new Promise(() => {})
  yield Buffer.alloc(0)
}

test('a blob is closed when the client resets, even while its body has yielded nothing', async () => {
  let [opened, closed] = [0, 0]
  const close = async (): Promise<void> => void closed++
  const store = storeWith({
    open: async (name) => {
      opened++
      const range = { start: 0, end: 1 }
      return { digest: name.key, sizeBytes: 1, range, body, close, [Symbol.asyncDispose]: close }
    },
  })
  const { app } = await testApp({ store })
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
  socket.write(`GET /messages/${foo} HTTP/1.1\r\nHost: a\r\n\r\n`)
  await waitUntil(() => opened === 1)
  socket.resetAndDestroy()
  await waitUntil(() => closed > 0)
  expect(opened).toBe(1)
})
