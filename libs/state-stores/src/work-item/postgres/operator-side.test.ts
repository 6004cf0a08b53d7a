import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostgresWorkItems } from '../postgres.ts'
import { testPostgres, type TestDatabase } from '../test-postgres.ts'

const server = await testPostgres()
let database: TestDatabase

beforeAll(async () => {
  database = await server.database()
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

test('a resume that was cut off goes on where it was: no row skips the pause twice, and none is ticked before all have', async () => {
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const leader = await store.leaders.campaign('control', 60_000)
  if (leader === undefined) throw new Error('no leader')
  const worker = await store.workers.register({ name: 'a', incarnation: randomUUID() }, { weight: 1, ttlMs: 60_000 })
  await store.leaders.publish(
    leader,
    Array.from({ length: 64 }, (_, slot) => ({ slot, to: 'a' })),
  )
  await store.leaders.takeOver(leader)
  await store.rows.add({ count: 300 })
  // Four ticks are due from before a pause of a hundred seconds.
  await store.operator.pause()
  await database.run('UPDATE work_items SET last_tick = last_tick - 104')
  await database.run('UPDATE ballast_scaler.settings SET paused_tick = paused_tick - 100')
  await database.run('SELECT ballast_scaler.begin_to_resume(false)')
  for (let part = 0; part < 40; part++) await database.run('SELECT ballast_scaler.resume_slots(1)')
  await expect(store.operator.pauseState()).resolves.toMatchObject({ resuming: true, skips: 0n })
  await expect(store.operator.pause()).resolves.toBe('resuming')
  await expect(store.workers.tick(await current())).resolves.toMatchObject({ kind: 'ticked', rows: 0 })
  await store.operator.resume({ catchUp: true })
  await expect(store.operator.pauseState()).resolves.toMatchObject({ pausedSinceMs: undefined, skips: 1n })
  const dueTicks = await database.run<{ due: string }>(
    'SELECT DISTINCT max(last_tick) OVER () - last_tick AS due FROM work_items',
  )
  expect(dueTicks, 'all rows skipped the same time').toHaveLength(1)
  await store.workers.tick(await current())
  const [{ least, most } = { least: 0, most: 0 }] = await database.run<{ least: number; most: number }>(
    'SELECT min(value) AS least, max(value) AS most FROM work_items',
  )
  expect(most - least).toBe(0)
  expect(least).toBeGreaterThanOrEqual(4)
  expect(least, 'not the hundred seconds of the pause').toBeLessThan(60)

  async function current() {
    const outcome = await store.workers.handOver(worker)
    if (outcome.kind === 'superseded') throw new Error('superseded')
    return outcome.lease
  }
})
