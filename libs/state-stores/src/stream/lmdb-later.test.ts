import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { openLmdb } from '../lmdb-environment.ts'
import { lmdbStream } from './lmdb.ts'
import { sequenceKey } from './lmdb-records.ts'

const request = { maxEntries: 100, maxBytes: 1_000_000, waitMs: 0 }
const entry = (text: string) => ({ documents: 1, body: Buffer.from(text) })

test('an entry of a newer release is parked and the rest goes on; one that was changed on the disk is told', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'stream')
  {
    await using stream = await lmdbStream({ path })
    await stream.append(['later', 'changed', 'good'].map(entry))
  }
  {
    await using environment = await openLmdb({ path })
    const entries = environment.table('entries')
    await environment.transact(() => {
      for (const [sequence, offset, value] of [
        [1, 0, 9],
        [2, 30, 0],
      ] as const) {
        const frame = Buffer.from(entries.get(sequenceKey(sequence)) ?? [])
        frame[offset] = value
        entries.put(sequenceKey(sequence), frame)
      }
    })
  }
  const clock = { nowMs: Date.now() + 60_000 }
  const parked: number[] = []
  await using stream = await lmdbStream({
    path,
    now: () => clock.nowMs,
    claimTimeoutMs: 1000,
    bounds: { maxOldestAgeMs: 30_000 },
    onParked: (entries) => void parked.push(entries),
  })
  // The oldest that this release reads, and nobody has.
  const { oldestAgeMs } = await stream.backlog()
  expect(oldestAgeMs).toBeGreaterThanOrEqual(50_000)
  expect(await stream.append([entry('late')])).toEqual([{ outcome: 'full', bound: 'age' }])
  const claims = await stream.claim('one', request)
  expect(claims.map(({ entry: id, damaged }) => [id, damaged === undefined])).toEqual([
    ['2', false],
    ['3', true],
  ])
  expect(await stream.acknowledge(claims)).toEqual(['settled', 'settled'])
  expect(await stream.claim('one', request)).toEqual([])
  expect(parked).toEqual([1])
  clock.nowMs += 1001
  expect(await stream.claim('one', request)).toEqual([])
  expect(parked).toEqual([1, 1])
  expect(await stream.backlog()).toMatchObject({ entries: 1, parkedEntries: 1, oldestAgeMs: 0 })
  // It stops neither writers nor an audit.
  expect(await stream.append([entry('fresh')])).toMatchObject([{ outcome: 'appended' }])
  expect((await stream.queued({ limit: 10 })).map(({ body }) => Buffer.from(body).toString())).toEqual([
    expect.stringContaining('format 9; this release reads'),
    'fresh',
  ])
})
