import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { type PartitionsOptions, openPartitions } from './open-partitions.ts'
import { partitionUrl } from './partition-names.ts'
import { shareOf } from './partition-share.ts'
import type { PartitionedStream } from './partitioned.ts'
import type { Claimed } from './port.ts'

const request = { maxEntries: 1000, maxBytes: 10_000_000, waitMs: 0 }
const idOf = (n: number): string => `65000000aaaaaaaaaa${n.toString(16).padStart(6, '0')}`
const entryOf = (n: number) => ({ documents: 1, body: Buffer.from(idOf(n), 'hex'), firstId: idOf(n) })
const textOf = ({ body }: { body: Uint8Array }): string => Buffer.from(body).toString('hex')

/** Handles of several processes on one queue of four partitions, under one clock. */
async function setUp() {
  const folder = await temporaryFolder()
  const clock = { nowMs: 1_700_000_000_000 }
  const opened: PartitionedStream[] = []
  const open = async (options: PartitionsOptions = {}): Promise<PartitionedStream> => {
    const common = { now: () => clock.nowMs, claimTimeoutMs: 10_000 }
    const stream = await openPartitions(`lmdb:${join(folder.path, 'queue')}`, { ...common, ...options })
    opened.push(stream)
    return stream
  }
  return {
    clock,
    open,
    /** Rounds of all consumers, until each has what is his. */
    async settleDown(consumers: readonly (readonly [PartitionedStream, string])[]) {
      for (let round = 0; round < 4; round++) {
        clock.nowMs += 1000
        for (const [stream, name] of consumers) await stream.acknowledge(await stream.claim(name, request))
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(opened.map((stream) => stream.close()))
      await folder[Symbol.asyncDispose]()
    },
  }
}

test('appends spread over the partitions; everybody finds them, their letters and their sums, also who was not told', async () => {
  await using system = await setUp()
  const reader = await system.open()
  const writer = await system.open({ partitions: 4 })
  for (let n = 0; n < 40; n++) await writer.append([entryOf(n)])
  system.clock.nowMs += 1000
  expect(await reader.backlog()).toMatchObject({ entries: 40, documents: 40, bytes: 480 })
  const queued: string[] = []
  for (let after = ''; ;) {
    const page = await reader.queued({ limit: 7, ...(after === '' ? {} : { after }) })
    if (page.length === 0) break
    after = page.at(-1)?.entry ?? ''
    queued.push(...page.map(textOf))
  }
  expect(queued.toSorted()).toEqual(Array.from({ length: 40 }, (_, n) => idOf(n)))
  for (const n of [0, 17, 39]) expect(textOf({ body: (await reader.locate(idOf(n))) ?? Buffer.alloc(0) })).toBe(idOf(n))

  const claims = await reader.claim('one', request)
  expect(new Set(claims.map(textOf)).size).toBe(40)
  expect([reader.held, new Set(claims.map(({ entry }) => entry)).size]).toEqual([[0, 1, 2, 3], 40])
  const burials = claims.map((claimed) => ({
    claimed,
    dead: [{ id: textOf(claimed), reason: 'x', body: claimed.body }],
  }))
  expect(new Set(await reader.bury(burials))).toEqual(new Set(['settled']))
  expect(await reader.bury(burials.slice(0, 1))).toEqual(['not-owner'])
  const letters = await reader.deadLetters({ after: idOf(4), limit: 6 })
  expect(letters.map(({ id }) => id)).toEqual([5, 6, 7, 8, 9, 10].map(idOf))
  expect((await reader.deadLetter(idOf(17)))?.reason).toBe('x')
  expect(await reader.replay([idOf(17), idOf(99), idOf(3)])).toEqual(
    ['replayed', 'unknown', 'replayed'].map((outcome) => ({ outcome })),
  )
  expect(await reader.backlog()).toMatchObject({ entries: 2, deadLetters: 38 })
})

test('one id that is dead in several partitions, with different contents: each is listed, found and replayed as itself', async () => {
  await using system = await setUp()
  const queue = await system.open({ partitions: 4 })
  for (let n = 0; n < 12; n++) await queue.append([entryOf(n)])
  const claims = await queue.claim('one', request)
  const [x, y] = [idOf(1000), idOf(1001)]
  const partitions = new Set<string>()
  for (const claimed of claims) {
    const partition = claimed.entry.split('@')[1] ?? '0'
    const first = !partitions.has(partition)
    partitions.add(partition)
    const dead = first ? [x, y].map((id) => ({ id, reason: 'x', body: Buffer.from(`${id} ${partition}`) })) : []
    await queue.bury([{ claimed, dead }])
  }
  expect(partitions.size).toBe(4)
  const names = [x, y].flatMap((id) => [id, ...[1, 2, 3].map((partition) => `${id}/@${partition}`)])
  for (const limit of [1, 3, 5, 8, 100]) {
    const found: string[] = []
    for (let after: string | undefined; ;) {
      const page = await queue.deadLetters({ limit, ...(after === undefined ? {} : { after }) })
      if (page.length === 0) break
      after = page.at(-1)?.id
      found.push(...page.map(({ id }) => id))
    }
    expect(found).toEqual(names)
  }
  expect(Buffer.from((await queue.deadLetter(`${x}/@2`))?.body ?? []).toString()).toBe(`${x} 2`)
  expect(await queue.replay([`${x}/@2`])).toEqual([{ outcome: 'replayed' }])
  expect(await queue.replay([`${x}/@2`])).toEqual([{ outcome: 'unknown' }])
  expect((await queue.deadLetters({ limit: 1 })).map(({ id }) => id)).toEqual([x, `${x}/@1`, `${x}/@3`])
  const page = await queue.deadLetters({ limit: 8 })
  expect(await queue.replay(page.map(({ id }) => id))).toEqual(page.map(() => ({ outcome: 'replayed' })))
  expect(await queue.backlog()).toMatchObject({ entries: 8, deadLetters: 0 })
})

test('each partition has one active consumer: one joins, one leaves; the fewest move, and nothing is delivered twice', async () => {
  await using system = await setUp()
  const writer = await system.open({ partitions: 4 })
  const [one, two, three] = [await system.open(), await system.open(), await system.open()]
  await system.settleDown([[one, 'one']])
  expect(one.held).toEqual([0, 1, 2, 3])

  // In the middle of a batch it gives up nothing.
  for (let n = 0; n < 40; n++) await writer.append([entryOf(n)])
  const inHand = await one.claim('one', request)
  expect(inHand).toHaveLength(40)
  await two.claim('two', request)
  system.clock.nowMs += 1000
  for (let n = 40; n < 80; n++) await writer.append([entryOf(n)])
  const again = await one.claim('one', request)
  const fresh = again.filter(({ delivery }) => delivery === 1)
  // Nor does it take anything new of what is to go.
  expect([again.length - fresh.length, new Set(fresh.map(({ entry }) => entry.split('@')[1])).size]).toEqual([40, 2])
  expect(await two.claim('two', request)).toEqual([])
  expect([one.held, two.held]).toEqual([[0, 1, 2, 3], []])
  expect(new Set(await one.acknowledge(again))).toEqual(new Set(['settled']))

  await system.settleDown([
    [one, 'one'],
    [two, 'two'],
  ])
  expect([one.held.length, two.held.length, new Set([...one.held, ...two.held]).size]).toEqual([2, 2, 4])
  const before = [one.held, two.held]
  await system.settleDown([
    [one, 'one'],
    [two, 'two'],
    [three, 'three'],
  ])
  expect(new Set([...one.held, ...two.held, ...three.held]).size).toBe(4)
  expect(three.held).toHaveLength(1)
  expect([one, two].flatMap(({ held }, index) => held.filter((of) => before[index]?.includes(of) === false))).toEqual(
    [],
  )

  const claims: Claimed[] = []
  for (let n = 100; n < 140; n++) await writer.append([entryOf(n)])
  for (const [stream, name] of [
    [one, 'one'],
    [two, 'two'],
    [three, 'three'],
  ] as const) {
    claims.push(...(await stream.claim(name, { ...request, maxEntries: 5 })))
    await stream.acknowledge(claims.filter(({ owner }) => owner === name))
    await stream.close()
    system.clock.nowMs += 1000
  }
  const last = await system.open()
  system.clock.nowMs += 1000
  claims.push(...(await last.claim('last', request)))
  expect(last.held).toEqual([0, 1, 2, 3])
  expect(new Set(claims.map(textOf)).size).toBe(40)
  expect(claims.every(({ delivery }) => delivery === 1)).toBe(true)
  await last.acknowledge(claims.filter(({ owner }) => owner === 'last'))
  expect((await last.backlog()).entries).toBe(0)
})

test('a consumer that is gone without a word: after the claim time-out another one has its partitions and its entries', async () => {
  await using system = await setUp()
  const writer = await system.open({ partitions: 4 })
  const [gone, heir] = [await system.open(), await system.open()]
  for (let n = 0; n < 20; n++) await writer.append([entryOf(n)])
  const lost = await gone.claim('gone', request)
  expect(lost).toHaveLength(20)
  system.clock.nowMs += 9000
  expect(await heir.claim('heir', request)).toEqual([])
  system.clock.nowMs += 1001
  const claims = await heir.claim('heir', request)
  expect(heir.held).toEqual([0, 1, 2, 3])
  expect(claims.map(({ delivery, takeovers }) => [delivery, takeovers])).toEqual(lost.map(() => [2, 1]))
  expect(new Set(await gone.acknowledge(lost))).toEqual(new Set(['not-owner']))
  expect(await gone.claim('gone', request)).toEqual([])
  expect(gone.held).toEqual([])
  expect(new Set(await heir.acknowledge(claims))).toEqual(new Set(['settled']))
})

test('bounds are divided, a claim of many partitions is bounded, and slots are those of one budget', async () => {
  await using system = await setUp()
  const writer = await system.open({ partitions: 4, bounds: { maxEntries: 8, maxEntryBytes: 12 } })
  const outcomes: string[] = []
  for (let n = 0; n < 100; n++) outcomes.push(...(await writer.append([entryOf(n)])).map(({ outcome }) => outcome))
  expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(8)
  expect((await writer.claim('one', { ...request, maxEntries: 3 })).length).toBe(3)
  const slot = { budget: 'commands', intervalMs: 10, sinceLastMs: Infinity }
  const reader = await system.open()
  expect([await writer.reserveSlot(slot), await reader.reserveSlot(slot)]).toEqual([0, 10])
})

test('room is what a partition has: a queue is full when none takes an append, though the sum is below the bound', async () => {
  await using system = await setUp()
  const bounds = { maxEntries: 10, maxBytes: 10_000 }
  const writer = await system.open({ partitions: 3, bounds })
  for (let n = 0; n < 40; n++) {
    expect(await writer.fullBound(1)).toBe((await writer.backlog()).entries === 9 ? 'entries' : undefined)
    await writer.append([entryOf(n)])
  }
  expect((await writer.backlog()).entries).toBe(9)
  expect([await writer.fullBound(1), await writer.fullBound(3334)]).toEqual(['entries', 'entries'])
  await writer.acknowledge(await writer.claim('one', { ...request, maxEntries: 1 }))
  expect([await writer.fullBound(1), await writer.fullBound(3334)]).toEqual([undefined, 'entries'])
})

test('whoever puts letters back into the partitions there are keeps to the part of the bounds that each has', async () => {
  await using system = await setUp()
  const bounds = { maxEntries: 4 }
  const writer = await system.open({ partitions: 2, bounds })
  const ids: string[] = []
  for (let n = 0; n < 40; n++) {
    await writer.append([entryOf(n)])
    const claims = await writer.claim('one', request)
    ids.push(...claims.map(textOf))
    await writer.bury(
      claims.map((claimed) => ({ claimed, dead: [{ id: textOf(claimed), reason: 'x', body: claimed.body }] })),
    )
  }
  await writer.close()
  const other = await system.open({ partitions: 'existing', bounds })
  const outcomes = (await other.replay(ids)).map(({ outcome }) => outcome)
  expect(outcomes.filter((outcome) => outcome === 'replayed')).toHaveLength(4)
  const queued = await other.queued({ limit: 100 })
  expect(queued).toHaveLength(2)
})

const attendant = (consumer: string, ...holds: number[]) => ({ consumer, holds })

test('shares are even to within one, and a join moves only what the newcomer gets', () => {
  const all = [attendant('a', 0, 1, 2, 3, 4), attendant('b', 5, 6, 7, 8, 9), attendant('c')]
  const shares = ['a', 'b', 'c'].map((consumer) => [...shareOf(consumer, all, 10)])
  expect(shares.map(({ length }) => length).toSorted((x, y) => x - y)).toEqual([3, 3, 4])
  expect(shares[0]?.every((partition) => partition < 5)).toBe(true)
  expect(shares[1]?.every((partition) => partition >= 5)).toBe(true)
  expect(shares.flat().toSorted((x, y) => x - y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('what partitions are called', () => {
  expect(
    ['redis://h:1/0', 'redis://h:1,g:2/0?stream=a%3Ab&waitMs=5', 'lmdb:./x/'].map((url) => partitionUrl(url, 2)),
  ).toEqual(['redis://h:1/0?stream=writes-2', 'redis://h:1,g:2/0?stream=a%3Ab-2&waitMs=5', 'lmdb:./x/partition-2'])
})
