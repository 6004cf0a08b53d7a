import type { BackendKind, RunningBackend } from '@ballast/backends'
import { startBackend } from '@ballast/backends'
import { waitUntil } from '@ballast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OutcomeUnknownError } from '../../outcome.ts'
import { checkHistory } from '../history.ts'
import { StoreUnavailableError, type CounterStore } from '../port.ts'
import type { ServerStoreOptions } from '../server-options.ts'
import { addUntilStopped } from './load.ts'
import { add, one, token } from './operations.ts'

/** A way to the server on which the last message of a write can get lost. */
export interface FaultyPath {
  open(options: ServerStoreOptions): Promise<CounterStore>
  /** From now on: of the next write the request arrives and is carried out, and its answer does not come back. */
  loseAnswer(): Promise<void>
  /** From now on: the next write's last request does not arrive. */
  loseRequest(): Promise<void>
  /** Resolves when that has happened. */
  lost(): Promise<void>
  heal(): Promise<void>
}

export interface FaultSuite {
  readonly kind: BackendKind
  /** How messages name the server. */
  readonly name: RegExp
  /** A write whose request was lost is found missing, or sent again under a condition that holds once. */
  readonly lostRequest: 'is not applied' | 'is applied once'
  /** How its server is ended; `stop` is SIGTERM, for one that itself breaks its promise under SIGKILL. */
  readonly end: 'kill' | 'stop'
  /** A path to a fresh part of the server, which is left for those who look when the test fails. */
  path(this: void, backend: RunningBackend): Promise<FaultyPath>
  open(this: void, url: string, options: ServerStoreOptions): Promise<CounterStore>
}

/** On the shared server. */
export function describeLostMessages({ name, lostRequest, path }: FaultSuite, backend: RunningBackend): void {
  const op = add('n/a', 1n, { token: token('k') })
  const start = async (options: ServerStoreOptions): Promise<{ store: CounterStore; way: FaultyPath }> => {
    const way = await path(backend)
    const store = await way.open({ timeoutMs: 2_000, ...options })
    onTestFinished(() => store.close())
    await one(store, add('n/a', 10n))
    return { store, way }
  }

  describe('a write whose', () => {
    test('answer is lost is asked after, and answered as what it was', async () => {
      const { store, way } = await start({ resolveMs: 15_000 })
      await way.loseAnswer()
      const writing = one(store, op)
      await way.lost()
      await way.heal()
      const outcome = await writing
      expect(outcome).toMatchObject({ ok: true, value: 11n, previous: 10n, replayed: false })
      await expect(one(store, op)).resolves.toEqual({ ...outcome, replayed: true })
      await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 11n }])
    })

    test('answer stays lost is unknown; the same token finds it later, and nothing is doubled', async () => {
      const { store, way } = await start({ resolveMs: 100 })
      await way.loseAnswer()
      const writing = one(store, op)
      writing.catch(() => {})
      await way.lost()
      await expect(writing).rejects.toThrow(OutcomeUnknownError)
      await expect(writing).rejects.toThrow(name)
      await way.heal()
      const again = await waitUntil(() => one(store, op), { what: 'the server to be reached again' })
      expect(again).toMatchObject({ ok: true, value: 11n, replayed: true })
      await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 11n }])
    })

    test(`request is lost ${lostRequest}`, async () => {
      const { store, way } = await start({ resolveMs: 15_000 })
      await way.loseRequest()
      const writing = Promise.allSettled([one(store, op)])
      await way.lost()
      await way.heal()
      const isApplied = lostRequest === 'is applied once'
      const applied = { status: 'fulfilled', value: { value: 11n, replayed: false } }
      const refused = { status: 'rejected', reason: { name: 'NotAppliedError' } }
      expect(await writing).toMatchObject([isApplied ? applied : refused])
      await expect(one(store, op)).resolves.toMatchObject({ value: 11n, replayed: isApplied })
    })
  })
}

const rounds = Number(process.env['COUNTER_SERVER_KILL_ROUNDS'] ?? 2)
const clients = 6

/** On a server of their own. */
export function describeServerLife({ kind, name, open, end }: FaultSuite): void {
  test(
    'a server that answers nobody fails calls in time and by name; when it does again, so does the store',
    { timeout: 60_000 },
    async () => {
      await using server = await startBackend(kind)
      await using store = await open(server.url, { timeoutMs: 1_000, resolveMs: 500 })
      const op = add('n/a', 1n, { token: token('k') })
      const first = add('n/a', 10n, { token: token('first') })
      await waitUntil(() => one(store, first), { what: 'a server that has just started' })
      await server.pause()
      const startedMs = performance.now()
      const writing = one(store, op)
      await expect(writing).rejects.toThrow(name)
      await expect(writing).rejects.not.toThrow(TypeError)
      await expect(store.read(['n/a'])).rejects.toThrow(StoreUnavailableError)
      await expect(store.check()).rejects.toThrow(name)
      expect(performance.now() - startedMs).toBeLessThan(20_000)
      await server.resume()
      await waitUntil(() => store.check().then(() => true), { timeoutMs: 20_000, what: 'the store to be ready again' })
      // Applied while it was paused or not: under its token it is applied once.
      await expect(waitUntil(() => one(store, op), { timeoutMs: 20_000 })).resolves.toMatchObject({ value: 11n })
      await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 11n }])
    },
  )

  test(
    `the server ended ${rounds} times (${end}) while ${clients} clients count: nothing answered is lost, nothing doubled`,
    { timeout: 60_000 + rounds * 20_000 },
    async () => {
      await using server = await startBackend(kind, { durability: 'disk' })
      await using store = await open(server.url, { timeoutMs: 2_000, resolveMs: 1_000 })
      const stop = new AbortController()
      const adding = Array.from({ length: clients }, (_, index) => addUntilStopped(store, `c${index}`, stop.signal))
      const valueOf = async (): Promise<bigint> => (await store.read(['n/a']))[0]?.value ?? 0n
      for (let round = 0; round < rounds; round++) {
        const before = await waitUntil(() => valueOf(), { timeoutMs: 30_000, what: 'the first value' }).catch(() => 0n)
        await waitUntil(async () => (await valueOf()) > before + 20n, { timeoutMs: 30_000, what: '20 additions' })
        if (end === 'kill') await server.kill()
        await server.restart()
      }
      stop.abort()
      const additions = (await Promise.all(adding)).flat()
      const final = await waitUntil(() => valueOf(), { timeoutMs: 30_000, what: 'the last value' })
      expect(checkHistory({ initial: 0n, additions, final })).toEqual({
        acknowledged: additions.length,
        unknown: 0,
        violations: [],
      })
      expect(final).toBe(BigInt(additions.length))
      expect(additions.length).toBeGreaterThan(rounds * 20)
    },
  )
}
