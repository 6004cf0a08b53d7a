import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { one } from '../contract/operations.ts'
import { fileCounterStore } from '../file.ts'

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
