import { describe, expect, test } from 'vitest'
import type { StreamOptions, WriteStream } from './port.ts'

const request = { maxEntries: 100, maxBytes: 1_000_000, waitMs: 0 }
const entry = (text: string) => ({ documents: 1, body: Buffer.from(text) })

/** The rules by which consumers share partitions, for any backend: `occupy`, `resign` and `roster` of `WriteStream`. */
export function describePartitionContract(
  backend: string,
  open: (name: string, options: StreamOptions) => Promise<WriteStream>,
): void {
  let opened = 0
  const clock = { nowMs: 1_700_000_000_000 }
  const fresh = (): Promise<WriteStream> =>
    open(`part-${process.pid}-${++opened}`, { now: () => clock.nowMs, claimTimeoutMs: 1000 })

  describe(`partitions: ${backend}`, () => {
    test('only its occupant is handed entries, until he resigns; what he has in hand stays his own', async () => {
      await using stream = await fresh()
      await stream.append([entry('a'), entry('b')])
      expect([await stream.occupy('one'), await stream.occupy('two'), await stream.occupy('one')]).toEqual([
        true,
        false,
        true,
      ])
      expect(await stream.claim('two', request)).toEqual([])
      const claims = await stream.claim('one', { ...request, maxEntries: 1 })
      expect(claims).toHaveLength(1)
      await stream.resign('two')
      expect(await stream.claim('two', request)).toEqual([])
      await stream.resign('one')
      expect(await stream.occupy('two')).toBe(true)
      const [next, ...others] = await stream.claim('two', request)
      expect([Buffer.from(next?.body ?? []).toString(), next?.delivery, others]).toEqual(['b', 1, []])
      expect(await stream.claim('one', request)).toEqual([])
      expect(await stream.acknowledge(claims)).toEqual(['settled'])
    })

    test('an occupant that was not heard of for the claim time-out gives way; whoever works is heard of', async () => {
      await using stream = await fresh()
      expect(await stream.occupy('one')).toBe(true)
      for (let round = 0; round < 3; round++) {
        clock.nowMs += 700
        await stream.append([entry(String(round))])
        expect(await stream.acknowledge(await stream.claim('one', request))).toEqual(['settled'])
      }
      clock.nowMs += 1000
      expect(await stream.occupy('two')).toBe(false)
      clock.nowMs += 1
      expect(await stream.occupy('two')).toBe(true)
      expect(await stream.occupy('one')).toBe(false)
      await stream.append([entry('c')])
      expect(await stream.claim('one', request)).toEqual([])
      expect(await stream.claim('two', request)).toHaveLength(1)
    })

    test('the roster tells who is there with what, forgets who is silent or departs, and never has fewer partitions', async () => {
      await using stream = await fresh()
      const { roster } = stream
      expect(await roster.attend('one', [])).toEqual([{ consumer: 'one', holds: [] }])
      await roster.attend('one', [0, 3])
      clock.nowMs += 900
      const both = await roster.attend('two', [1])
      expect(both.toSorted((a, b) => (a.consumer < b.consumer ? -1 : 1))).toEqual([
        { consumer: 'one', holds: [0, 3] },
        { consumer: 'two', holds: [1] },
      ])
      clock.nowMs += 101
      expect(await roster.attend('two', [1])).toEqual([{ consumer: 'two', holds: [1] }])
      await roster.depart('two')
      expect(await roster.attend('three', [])).toEqual([{ consumer: 'three', holds: [] }])
      expect([await roster.partitions(1), await roster.partitions(4), await roster.partitions(2)]).toEqual([1, 4, 4])
    })

    test('of many who want it at once one occupies it', async () => {
      await using stream = await fresh()
      const got = await Promise.all(Array.from({ length: 8 }, (_, n) => stream.occupy(`consumer ${n}`)))
      expect(got.filter(Boolean)).toHaveLength(1)
    })
  })
}
