import { describe, expect, test } from 'vitest'
import type { WorkerRegistry } from './port.ts'

const names = async (registry: WorkerRegistry): Promise<string[]> =>
  (await registry.alive()).map((worker) => worker.name)

/** The rules of `WorkerRegistry`, for any backend. `now` is the clock the backend shall use; each call opens an empty one. */
export function describeWorkerRegistryContract(
  name: string,
  open: (now: () => number) => Promise<WorkerRegistry>,
): void {
  const clock = { nowMs: 1_800_000_000_000 }
  const start = (): Promise<WorkerRegistry> => open(() => clock.nowMs)

  describe(`worker registry: ${name}`, () => {
    test('who has announced himself is there with what he said last, by name', async () => {
      await using registry = await start()
      await registry.announce({ name: 'worker-1', details: { address: 'b:1' } }, 3_000)
      await registry.announce({ name: 'worker-0', details: {} }, 3_000)
      await registry.announce({ name: 'worker-1', details: { address: 'b:2', note: '"quoted" {ü}' } }, 5_000)
      expect(await registry.alive()).toEqual([
        { name: 'worker-0', details: {}, untilMs: clock.nowMs + 3_000 },
        { name: 'worker-1', details: { address: 'b:2', note: '"quoted" {ü}' }, untilMs: clock.nowMs + 5_000 },
      ])
    })

    test('a deadline that has come ends it, an announcement before moves it, one after brings it back', async () => {
      await using registry = await start()
      const worker = { name: 'a', details: {} }
      await registry.announce(worker, 100)
      clock.nowMs += 99
      expect(await names(registry)).toEqual(['a'])
      await registry.announce(worker, 100)
      clock.nowMs += 99
      expect(await names(registry)).toEqual(['a'])
      clock.nowMs += 1
      expect(await names(registry)).toEqual([])
      await registry.announce(worker, 100)
      expect(await names(registry)).toEqual(['a'])
    })

    test('to forget ends it at once, twice is as good, and others stay', async () => {
      await using registry = await start()
      for (const each of ['a', 'b']) await registry.announce({ name: each, details: {} }, 1_000)
      await registry.forget('a')
      await registry.forget('a')
      expect(await names(registry)).toEqual(['b'])
    })

    test('a name or a time out of bounds is refused and changes nothing', async () => {
      await using registry = await start()
      for (const wrong of ['', 'a b', 'x'.repeat(129)]) {
        await expect(registry.announce({ name: wrong, details: {} }, 1_000)).rejects.toThrow(RangeError)
      }
      for (const ttlMs of [0, -1, Number.NaN, 86_400_001]) {
        await expect(registry.announce({ name: 'a', details: {} }, ttlMs)).rejects.toThrow('1 ms to a day')
      }
      expect(await registry.alive()).toEqual([])
    })
  })
}
