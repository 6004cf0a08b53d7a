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

test('a row that somebody holds keeps only its slot from going on after a pause, which it skips once all the same', async () => {
  await using fresh = await server.database()
  await using store = await openPostgresWorkItems({ url: fresh.url, slots: 64 })
  const leader = await store.leaders.campaign('control', 60_000)
  if (leader === undefined) throw new Error('no leader')
  const identity = { name: 'a', incarnation: randomUUID() }
  const current = () => store.workers.register(identity, { weight: 1, ttlMs: 60_000 })
  await current()
  await store.leaders.publish(
    leader,
    Array.from({ length: 64 }, (_, slot) => ({ slot, to: 'a' })),
  )
  await store.leaders.takeOver(leader)
  await store.rows.add({ count: 640 })
  await store.operator.pause()
  await fresh.run('UPDATE work_items SET last_tick = last_tick - 104')
  await fresh.run('UPDATE ballast_scaler.settings SET paused_tick = paused_tick - 100')
  await using holder = await fresh.session()
  const [first] = await store.rows.list(undefined, 1)
  await holder.run('BEGIN')
  await holder.run('SELECT FROM work_items WHERE id = $1 FOR UPDATE', [first?.id])
  const [held] = await fresh.run<{ slot: number; mates: number }>(
    `SELECT slot, count(*)::integer AS mates FROM work_items
     WHERE slot = (SELECT slot FROM work_items WHERE id = $1) GROUP BY slot`,
    [first?.id],
  )
  if (held === undefined) throw new Error('no row')

  await store.operator.resume({ catchUp: false })
  await expect(store.operator.pauseState()).resolves.toMatchObject({
    pausedSinceMs: undefined,
    resuming: true,
    skips: 1n,
  })
  const lease = await current()
  expect(lease.slots).toEqual(Array.from({ length: 64 }, (_, slot) => slot).filter((slot) => slot !== held.slot))
  await expect(store.workers.tick(lease)).resolves.toMatchObject({ kind: 'ticked', rows: 640 - held.mates })
  await expect(store.operator.pause(), 'what is to be skipped is one pause').resolves.toBe('resuming')
  await store.operator.resume({ catchUp: false })
  await expect(store.operator.pauseState(), 'still held').resolves.toMatchObject({ resuming: true, skips: 1n })

  await holder.run('ROLLBACK')
  await store.operator.resume({ catchUp: false })
  await expect(store.operator.pauseState()).resolves.toMatchObject({ resuming: false, skips: 2n })
  const whole = await current()
  expect(whole.slots).toHaveLength(64)
  await store.workers.tick(whole)
  const constants = await fresh.run<{ n: string; late: number }>(
    'SELECT DISTINCT value - last_tick AS n, max(value) OVER () AS late FROM work_items',
  )
  expect(constants, 'all rows skipped the same time').toHaveLength(1)
  expect(constants[0]?.late).toBeGreaterThanOrEqual(4)
  expect(constants[0]?.late, 'not the hundred seconds of the pause').toBeLessThan(60)
  await expect(store.operator.pause()).resolves.toBe('paused')
})

test('a program of the release before works on the new schema: its forms of register and publish are there, and a pause holds for it', async () => {
  await using fresh = await server.database()
  await using store = await openPostgresWorkItems({ url: fresh.url, slots: 64 })
  const incarnation = randomUUID()
  const register = () =>
    fresh.run<{ slots: number[] }>('SELECT * FROM ballast_scaler.register($1, $2, $3, $4)', [
      'old',
      incarnation,
      1,
      60_000,
    ])
  const leader = await store.leaders.campaign('control', 60_000)
  if (leader === undefined) throw new Error('no leader')
  await register()
  await store.workers.leave({ name: 'old', incarnation }, { restartWithinMs: 60_000 })
  await register()
  await expect(store.leaders.members(), 'it is back').resolves.toMatchObject([{ name: 'old', away: false, zone: '' }])
  const every = Array.from({ length: 64 }, (_, slot) => slot)
  await fresh.run('SELECT ballast_scaler.publish($1, $2, $3, $4)', [
    String(leader.fence.epoch),
    leader.fence.nonce,
    every,
    every.map(() => 'old'),
  ])
  await expect(store.leaders.takeOver(leader)).resolves.toMatchObject({ slots: 64 })
  const [owning] = await register()
  expect(owning?.slots).toHaveLength(64)
  await store.operator.pause()
  const [paused] = await register()
  expect(paused?.slots, 'its lease has nothing to tick').toEqual([])
})
