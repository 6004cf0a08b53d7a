import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { leaseTtlMs, startCluster } from './cluster.ts'

test('a worker whose name was taken while it slept exits with 1 at once, and leaves its replacement in peace', async () => {
  await using cluster = await startCluster()
  await cluster.controlPlane()
  const member = async () => (await cluster.store.leaders.members()).find(({ name }) => name === 'w9')
  const former = await cluster.worker('w9')
  // Somebody who would take the rows, if the replacement were drained.
  await cluster.worker('other')
  await waitUntil(async () => ((await member())?.slots ?? 0) > 0, { timeoutMs: 60_000, what: 'w9 to own slots' })
  former.kill('SIGSTOP')
  await waitUntil(async () => (await member())?.alive === false, { timeoutMs: 60_000, what: 'its lease to be over' })
  const replacement = await cluster.worker('w9')
  former.kill('SIGCONT')
  await expect(former.exit).resolves.toEqual({ code: 1, signal: null })
  expect(former.stdout.filter((line) => line.includes('"fatal"'))).toHaveLength(1)
  const continuedMs = Date.now()
  await expect(member(), 'nobody asked for the replacement to be drained').resolves.toMatchObject({
    alive: true,
    draining: false,
  })
  await waitUntil(async () => ((await member())?.slots ?? 0) > 0 && Date.now() - continuedMs > leaseTtlMs, {
    timeoutMs: 60_000,
    what: 'the replacement to own slots',
  })
  expect(replacement.stdout.some((line) => line.includes('draining'))).toBe(false)
})
