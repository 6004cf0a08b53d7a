import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startCluster, type ControlPlane } from './cluster.ts'

const patience = { timeoutMs: 90_000, everyMs: 20 }
const leads = ({ process }: ControlPlane) => process.stdout.some((line) => line.includes('"leading"'))

test('a lease decides who may lead; killed, its holder is succeeded in time, and told to stop, at once', async () => {
  await using folder = await temporaryFolder()
  await using cluster = await startCluster()
  const start = () => cluster.controlPlane('--election', `file:${folder.path}`)
  const first = await start()
  await first.process.waitForLine(/"leading"/)
  const [second, third] = [await start(), await start()]
  await cluster.worker('worker-0')
  expect([leads(second), leads(third)]).toEqual([false, false])
  first.process.kill('SIGKILL')
  const killedMs = Date.now()
  const next = await waitUntil(() => [second, third].find(leads), { ...patience, what: 'a new leader' })
  expect(Date.now() - killedMs, 'time to a new leader').toBeLessThan(5_000)
  const last = next === second ? third : second
  expect(leads(last)).toBe(false)
  next.process.kill('SIGTERM')
  await expect(next.process.exit).resolves.toEqual({ code: 0, signal: null })
  await waitUntil(() => leads(last), patience)
  expect((await cluster.store.leaders.current())?.alive).toBe(true)
}, 240_000)
