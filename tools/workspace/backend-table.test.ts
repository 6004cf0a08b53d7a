import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { backendTable } from './backend-table.ts'

test('suites are added up by server; the slowest start is the one that counts', async () => {
  await using folder = await temporaryFolder()
  const report = { kind: 'redis', version: '7.0.15', origin: 'path', readyAfterMs: 80, passed: true }
  mkdirSync(join(folder.path, 'counter.backends'))
  mkdirSync(join(folder.path, 'state-stores.backends'))
  writeFileSync(join(folder.path, 'counter.backends/a-redis.json'), JSON.stringify(report))
  writeFileSync(
    join(folder.path, 'state-stores.backends/a-redis.json'),
    JSON.stringify({ ...report, passed: false, readyAfterMs: 240 }),
  )
  expect(backendTable(folder.path)).toEqual([
    expect.stringMatching(/^redis +7\.0\.15 +path +0\.2 s to ready +1 of 2 suites passed$/),
  ])
  expect(backendTable(join(folder.path, 'nothing'))).toEqual([])
})
