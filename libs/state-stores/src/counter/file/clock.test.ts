import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { one } from '../contract/operations.ts'
import { fileCounterStore } from '../file.ts'
import { memoryCounterStore } from '../memory.ts'

test('a clock that was set back while nobody ran brings nothing expired to life', async () => {
  await using folder = await temporaryFolder()
  let nowMs = 1_000
  const options = { path: join(folder.path, 'counter.json'), tokenWindowMs: 1_000, now: () => nowMs }
  const op = { kind: 'add', name: 'n/a', by: 1n, token: { scope: 's', key: 'k', fingerprint: 'f' } } as const
  const first = await fileCounterStore(options)
  await one(first, op)
  nowMs = 5_000
  await one(first, { kind: 'add', name: 'n/a', by: 1n })
  await first.close()
  nowMs = 1_500
  await using second = await fileCounterStore(options)
  await expect(one(second, op)).resolves.toMatchObject({ value: 3n, replayed: false })
})

test('a clock that was set back an hour takes no time from what expires, and gives it none', async () => {
  await using folder = await temporaryFolder()
  let clockMs = 10_000_000
  const options = { path: join(folder.path, 'counter.json'), tokenWindowMs: 1_000, now: () => clockMs }
  const first = await fileCounterStore(options)
  await one(first, { kind: 'add', name: 'n/a', by: 1n })
  await first.close()
  clockMs -= 3_600_000
  await using second = await fileCounterStore(options)
  expect(second.nowMs()).toBe(10_000_000)
  const token = { scope: 's', key: 'k', fingerprint: 'f' }
  const op = { kind: 'add', name: 'n/b', by: 1n } as const
  await one(second, { ...op, token, expiresAtMs: second.nowMs() + 600 })
  await expect(second.read(['n/b'])).resolves.toMatchObject([{ value: 1n }])
  await expect(one(second, op)).resolves.toMatchObject({ value: 2n })
  clockMs += 600
  await expect(second.read(['n/b'])).resolves.toEqual([undefined])
  clockMs += 400
  await expect(one(second, { ...op, token })).resolves.toMatchObject({ value: 1n, replayed: false })
  expect(second.nowMs()).toBe(10_001_000)
})

test('a clock that is set back under a running store holds nothing up', async () => {
  let clockMs = 5_000
  await using store = memoryCounterStore({ now: () => clockMs })
  await one(store, { kind: 'set', name: 'n/a', to: 1n, expiresAtMs: store.nowMs() + 100 })
  clockMs = 1_000
  await expect(store.read(['n/a'])).resolves.toMatchObject([{ value: 1n }])
  clockMs += 100
  await expect(store.read(['n/a'])).resolves.toEqual([undefined])
})
