import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { type LmdbEnvironment, openLmdb } from '../lmdb-environment.ts'
import { NotAppliedError } from '../outcome.ts'
import { LmdbRoom } from './lmdb-room.ts'

const entries = [3000, 200].map((bytes) => ({ documents: 1, body: Buffer.alloc(bytes) }))
const full = (): Promise<never> => Promise.reject(new NotAppliedError('No space left on device'))

/** An environment on a disk that can be full; `sizes` are what was tried. */
async function setUp(freeBytes = 1e12, watchesOthers = false) {
  const folder = await temporaryFolder()
  const environment = await openLmdb({ path: folder.path })
  const state = { isFull: false, nowMs: 0, commits: 0 }
  const transact: LmdbEnvironment['transact'] = (write) => {
    state.commits++
    return state.isFull ? full() : environment.transact(write)
  }
  const room = new LmdbRoom({
    environment: { path: folder.path, transact, table: (name) => environment.table(name) },
    maxEntryBytes: 1000,
    watchesOthers,
    now: () => state.nowMs,
    freeBytes: async () => freeBytes,
  })
  const kept = () => Array.from(environment.table('room').range()).length
  return {
    room,
    state,
    kept,
    async [Symbol.asyncDispose]() {
      await environment.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

test('without doubt nothing is written', async () => {
  await using one = await setUp()
  await one.room.watch(entries, Promise.resolve())
  await one.room.check()
  expect(one.state.commits).toBe(0)
})

test('after an append that found no room: not ready until one like it fits, tried once a second, and nothing of it stays', async () => {
  await using one = await setUp()
  one.state.isFull = true
  await expect(one.room.watch(entries, full())).rejects.toThrow('No space')
  await expect(one.room.check()).rejects.toThrow('No space left')
  one.state.isFull = false
  await expect(one.room.check()).rejects.toThrow('No space left')
  expect(one.state.commits).toBe(1)
  one.state.nowMs = 1000
  await one.room.check()
  expect([one.state.commits, one.kept()]).toEqual([3, 0])
  one.state.nowMs = 2000
  await one.room.check()
  expect(one.state.commits).toBe(3)
})

test('on a disk that is nearly full each second one is tried before any append has failed', async () => {
  await using one = await setUp(1e6)
  await one.room.check()
  one.state.isFull = true
  one.state.nowMs = 1000
  await expect(one.room.check()).rejects.toThrow('No space left')
})

test('who watches over others that append tries each time, at most once a second: their failed appends it does not see', async () => {
  await using one = await setUp(1e12, true)
  one.state.isFull = true
  await expect(one.room.check()).rejects.toThrow('No space left')
  await expect(one.room.check()).rejects.toThrow('No space left')
  expect(one.state.commits).toBe(1)
  one.state.isFull = false
  one.state.nowMs = 1000
  await one.room.check()
  expect([one.state.commits, one.kept()]).toEqual([3, 0])
})
