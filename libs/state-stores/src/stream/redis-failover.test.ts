import { setTimeout as delay } from 'node:timers/promises'
import { startRedisReplicaSet } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { NotAppliedError } from '../outcome.ts'
import type { Entry, WriteStream } from './port.ts'
import { redisStream } from './redis.ts'

const entry = (text: string): Entry => ({ documents: 1, body: Buffer.from(text) })
const works = (stream: WriteStream): Promise<boolean> =>
  stream.check().then(
    () => true,
    () => false,
  )

/** Appends until it is stopped; what an append came to is the caller's to judge. */
class Appenders {
  /** Confirmed by a replica; confirmed by nobody but the primary; no answer. */
  readonly confirmed: string[] = []
  readonly alone: string[] = []
  readonly unknown: string[] = []
  readonly #stream: WriteStream
  #stopped = false
  #next = 0
  readonly #running: Promise<unknown>

  constructor(stream: WriteStream) {
    this.#stream = stream
    this.#running = Promise.all(Array.from({ length: 4 }, () => this.#run()))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const text = `entry ${++this.#next}`
      try {
        const [outcome] = await this.#stream.append([entry(text)])
        if (outcome?.outcome !== 'appended') throw new Error(`refused: ${outcome?.outcome}`)
        if (outcome.durability.replicas > 0) this.confirmed.push(text)
        else this.alone.push(text)
      } catch (error) {
        if (!(error instanceof NotAppliedError)) this.unknown.push(text)
        await delay(5)
      }
    }
  }
}

await describeOnBackend('redis', () => {
  test.each([0, 3])(
    'kill -9 of the primary with %i Sentinels: what a replica had confirmed is in the new one, once; the next slot is a second away',
    async (sentinels) => {
      await using set = await startRedisReplicaSet({ replicas: 2, sentinels, durability: 'process' })
      const separator = set.sentinelUrl === undefined ? '?' : '&'
      const url = `${set.sentinelUrl ?? set.url}${separator}replicas=1&waitMs=2000&timeoutMs=2000`
      await using stream = await redisStream({ url })
      const slot = (): Promise<number> => stream.reserveSlot({ budget: 'b', intervalMs: 10, sinceLastMs: Infinity })
      expect(await slot()).toBe(0)
      const appenders = new Appenders(stream)
      await waitUntil(() => appenders.confirmed.length > 200, { timeoutMs: 60_000 })
      await set.primary.kill()
      const promoted =
        sentinels === 0 ? await set.failOver() : await waitUntil(() => set.current(), { timeoutMs: 60_000 })
      expect(promoted).not.toBe(set.primary)
      await waitUntil(() => works(stream), { timeoutMs: 60_000, what: 'the new primary to be found' })
      expect(await slot()).toBeGreaterThan(900)
      const wanted = appenders.confirmed.length + 100
      await waitUntil(() => appenders.confirmed.length > wanted, { timeoutMs: 60_000 })
      await appenders.stop()
      // Sentinels end all connections of a server whose role they change.
      await waitUntil(() => works(stream))
      const found = (await stream.queued({ limit: 1_000_000 })).map(({ body }) => Buffer.from(body).toString())
      const once = new Set(found)
      expect(once.size).toBe(found.length)
      expect(appenders.confirmed.filter((text) => !once.has(text))).toEqual([])
      const allowed = new Set([...appenders.confirmed, ...appenders.alone, ...appenders.unknown])
      expect(found.filter((text) => !allowed.has(text))).toEqual([])
    },
    180_000,
  )

  test('a primary that is demoted refuses definitely, and says what to do; with all servers in the URL the new one is found', async () => {
    await using set = await startRedisReplicaSet({ durability: 'process' })
    await using one = await redisStream({ url: set.primary.url })
    await using all = await redisStream({ url: set.url })
    await set.failOver()
    const refused: unknown = await one.append([entry('refused')]).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(NotAppliedError)
    const { host } = new URL(set.primary.url)
    expect(String(refused)).toMatch(
      new RegExp(`Redis at ${host} refused EVAL: .*READONLY.* read-only replica .*URL name`),
    )
    await waitUntil(async () => (await all.append([entry('kept')]).catch(() => []))[0]?.outcome === 'appended')
    await waitUntil(() => works(all))
    expect(await all.queued({ limit: 10 })).toHaveLength(1)
    await expect(one.check()).rejects.toThrow('read-only replica')
  }, 120_000)

  test('an old primary that comes back and does not know of the new one is not written to', async () => {
    await using set = await startRedisReplicaSet({ durability: 'process' })
    await set.primary.kill()
    const promoted = await set.failOver()
    await using stream = await redisStream({ url: set.url })
    await set.primary.restart()
    await stream.append([entry('of the new one')])
    await expect(redisStream({ url: set.url })).rejects.toThrow(
      /127.0.0.1:\d+ and 127.0.0.1:\d+ each say to be the primary: stop or demote/,
    )
    await set.primary.stop()
    await using again = await redisStream({ url: set.url })
    expect(await again.queued({ limit: 10 })).toHaveLength(1)
    await using direct = await redisStream({ url: promoted.url })
    expect(await direct.queued({ limit: 10 })).toHaveLength(1)
  }, 120_000)
})
