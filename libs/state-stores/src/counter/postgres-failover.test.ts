import { setTimeout as delay } from 'node:timers/promises'
import { startPostgresPair } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { OutcomeUnknownError } from '../outcome.ts'
import type { CounterStore } from './port.ts'
import { postgresCounterStore } from './postgres.ts'

const limits = { timeoutMs: 2_000, resolveMs: 2_000 }

/** Adds 1 under a token of its own, again and again until it is answered. */
class Adders {
  readonly values: bigint[] = []
  readonly errors = new Set<string>()
  readonly #store: CounterStore
  readonly #stopping = new AbortController()
  readonly #running: Promise<unknown>
  #sent = 0

  constructor(store: CounterStore) {
    this.#store = store
    this.#running = Promise.all(Array.from({ length: 4 }, () => this.#run()))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) this.values.push(await this.#add(`addition ${++this.#sent}`))
  }

  async #add(key: string): Promise<bigint> {
    const token = { scope: 'test', key, fingerprint: 'add 1' }
    for (;;) {
      try {
        const [outcome] = await this.#store.commit([{ kind: 'add', name: 'test/a', by: 1n, token }])
        if (outcome?.ok !== true) throw new TypeError(`refused: ${outcome?.reason}`)
        return outcome.value
      } catch (error) {
        this.errors.add(error instanceof Error ? error.name : String(error))
        await delay(10)
      }
    }
  }
}

await describeOnBackend('postgres', () => {
  test('kill -9 of the primary and promotion of a synchronous standby: each answered addition is there once; the old one is not written to', async () => {
    await using pair = await startPostgresPair({ synchronous: true })
    const { primary, standby, url } = pair
    await using store = await postgresCounterStore({ url, ...limits })
    const adders = new Adders(store)
    await waitUntil(() => adders.values.length > 100, { timeoutMs: 60_000 })
    await primary.kill()
    await pair.promote()
    const wanted = adders.values.length + 100
    await waitUntil(() => adders.values.length > wanted, { timeoutMs: 60_000 })
    // It believes itself to be the primary still, and would take writes of whoever asks it first.
    await primary.restart()
    const more = adders.values.length + 100
    await waitUntil(() => adders.values.length > more, { timeoutMs: 60_000 })
    await adders.stop()
    for (const name of adders.errors) expect(['NotAppliedError', 'OutcomeUnknownError']).toContain(name)
    // Nothing lost, nothing doubled: the answers are 1 to n, each once.
    const sorted = adders.values.toSorted((a, b) => Number(a - b))
    expect(sorted).toEqual(sorted.map((_, index) => BigInt(index + 1)))
    const total = BigInt(sorted.length)

    await using later = await postgresCounterStore({ url, ...limits })
    await expect(later.read(['test/a'])).resolves.toMatchObject([{ value: total }])
    await using current = await postgresCounterStore({ url: standby.url, ...limits })
    await expect(current.read(['test/a'])).resolves.toMatchObject([{ value: total }])
    // Whoever has the address of the old primary alone gets no answer: it waits for a standby that has left it.
    const write = async (): Promise<void> => {
      await using old = await postgresCounterStore({ url: primary.url, timeoutMs: 1_000, resolveMs: 1_000 })
      await old.commit([{ kind: 'add', name: 'test/a', by: 1n }])
    }
    await expect(write()).rejects.toBeInstanceOf(OutcomeUnknownError)
  }, 180_000)

  test('a standby alone is refused with what to do; of several servers none is a primary while the standby is not promoted', async () => {
    await using pair = await startPostgresPair({ synchronous: true, durability: 'process' })
    const { primary, standby, url } = pair
    await expect(postgresCounterStore({ url: standby.url, ...limits })).rejects.toThrow(
      /^PostgreSQL at 127\.0\.0\.1:\d+ cannot be used: it is a read-only standby: give the address of its primary/,
    )
    await using store = await postgresCounterStore({ url, ...limits })
    await store.commit([{ kind: 'add', name: 'test/a', by: 1n }])
    await primary.kill()
    await waitUntil(() =>
      store.commit([{ kind: 'add', name: 'test/a', by: 1n }]).then(
        () => false,
        ({ message }: Error) => /none of them is a primary \(.*ECONNREFUSED.*is a read-only standby\)/.test(message),
      ),
    )
    await pair.promote()
    const [outcome] = await waitUntil(() => store.commit([{ kind: 'add', name: 'test/b', by: 1n }]))
    expect(outcome).toMatchObject({ ok: true, value: 1n })
  }, 120_000)
})
