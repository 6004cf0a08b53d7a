import { randomUUID } from 'node:crypto'
import { slotOf } from '@ballast/hashing'
import { waitUntil } from '@ballast/testing'
import { describe, expect, test, vi } from 'vitest'
import { describeWorkItemContract } from './contract.ts'
import type { WorkItemStore, WorkerLease } from './port.ts'
import { openPostgresWorkItems } from './postgres.ts'
import { slotExpression } from './postgres/slot-expression.ts'
import { testPostgres } from './test-postgres.ts'

const server = await testPostgres()

describeWorkItemContract('postgres', async () => {
  const database = await server.database()
  const store = await openPostgresWorkItems({ url: database.url, slots: 256 })
  return {
    store,
    rewindRows: async (seconds) =>
      void (await database.run('UPDATE work_items SET last_tick = last_tick - $1', [seconds])),
    setValue: async (id, value) =>
      void (await database.run('UPDATE work_items SET value = $2 WHERE id = $1', [id, value])),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
})

function v7(i: number): string {
  const time = (1_760_000_000_000 + i).toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}

test('the slot of 200,000 ids, versions 4 and 7, is the same in SQL and in TypeScript', async () => {
  await using database = await server.database()
  const ids = Array.from({ length: 200_000 }, (_, i) => (i % 2 === 0 ? randomUUID() : v7(i)))
  for (const slots of [256, 16_384, 1_048_576]) {
    const rows = await database.run<{ slot: number }>(
      `SELECT ${slotExpression('id', slots)} AS slot FROM unnest($1::uuid[]) WITH ORDINALITY AS given (id, n) ORDER BY n`,
      [ids],
    )
    const different = ids.filter((id, i) => rows[i]?.slot !== slotOf(id, slots))
    expect(different).toEqual([])
  }
  await using store = await openPostgresWorkItems({ url: database.url })
  await store.rows.add({ ids: ids.slice(0, 20_000) })
  const stored = await database.run<{ id: string; slot: number }>('SELECT id, slot FROM work_items')
  expect(stored.filter(({ id, slot }) => slot !== slotOf(id))).toEqual([])
})

describe('a table that is there already', () => {
  const seed = 'CREATE TABLE work_items (id uuid PRIMARY KEY, value integer, currentworker text)'

  test('is adopted with its rows, which start at the present second', async () => {
    await using database = await server.database()
    await database.run(seed)
    await database.run(`INSERT INTO work_items SELECT gen_random_uuid(), 7, 'old' FROM generate_series(1, 500)`)
    await using store = await openPostgresWorkItems({ url: database.url })
    const rows = await database.run<{ id: string; slot: number; age: number }>(
      `SELECT id, slot, (extract(epoch FROM clock_timestamp()) - last_tick)::float8 AS age FROM work_items`,
    )
    expect(rows).toHaveLength(500)
    expect(rows.filter(({ id, slot, age }) => slot !== slotOf(id) || age > 60 || age < 0)).toEqual([])
    const leader = await store.leaders.campaign('x', 60_000)
    if (leader === undefined) throw new Error('no leader')
    const counts = await store.leaders.countRows(leader)
    expect(counts !== 'stale' && counts.reduce((sum, n) => sum + n, 0)).toBe(500)
    await using again = await openPostgresWorkItems({ url: database.url })
    expect(again.slots).toBe(16_384)
    await expect(openPostgresWorkItems({ url: database.url, slots: 64 })).rejects.toThrow('made with 16384 slots')
  })

  test.each([
    ['CREATE TABLE work_items (id uuid PRIMARY KEY, value integer)', 'has no column "currentworker"'],
    [
      'CREATE TABLE work_items (id integer PRIMARY KEY, value integer, currentworker text)',
      'of type integer, not uuid',
    ],
    ['CREATE TABLE work_items (id uuid, value integer, currentworker text)', 'no primary key or unique index on "id"'],
    [`${seed}; ALTER TABLE work_items ADD COLUMN slot text`, 'already has a column "slot"'],
    [
      'CREATE TABLE work_items (id uuid PRIMARY KEY, value integer, currentworker varchar(5))',
      '"currentworker" of 5 characters, and the name of a worker may have 253',
    ],
    [
      'CREATE TABLE work_items (id uuid PRIMARY KEY, value integer CONSTRAINT low CHECK (value < 5), currentworker text)',
      'has the constraint low on a column that ticks write (CHECK ((value < 5)))',
    ],
    [
      'CREATE TABLE people (name text PRIMARY KEY); CREATE TABLE work_items (id uuid PRIMARY KEY, value integer, currentworker text REFERENCES people)',
      'has the constraint work_items_currentworker_fkey on',
    ],
    [`${seed}; CREATE UNIQUE INDEX one_each ON work_items (lower(currentworker))`, 'has the unique index one_each on'],
    [
      `${seed}; CREATE TRIGGER guard BEFORE UPDATE ON work_items FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
      'has the trigger guard, which ticks would fire',
    ],
    [`${seed}; CREATE RULE never AS ON UPDATE TO work_items DO INSTEAD NOTHING`, 'has the rule never for its updates'],
    ["CREATE VIEW work_items AS SELECT gen_random_uuid() AS id, 1 AS value, text '' AS currentworker", 'is a view'],
  ])('is refused when it does not fit, and nothing is changed: %s', async (create, sentence) => {
    await using database = await server.database()
    await database.run(create)
    const shape = `SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
      WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3`
    const before = await database.run(shape)
    await expect(openPostgresWorkItems({ url: database.url })).rejects.toThrow(sentence)
    await expect(database.run(shape)).resolves.toEqual(before)
  })

  test('what cannot stop a tick does not keep a table from being adopted, and what can is found at a later start too', async () => {
    await using database = await server.database()
    await database.run(`CREATE TABLE work_items (id uuid PRIMARY KEY, value bigint NOT NULL, currentworker varchar(253) NOT NULL, note text
      CHECK (length(note) < 9), UNIQUE (note))`)
    await database.run(`CREATE TRIGGER noted BEFORE UPDATE OF note ON work_items FOR EACH ROW
      EXECUTE FUNCTION suppress_redundant_updates_trigger()`)
    await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
    await expect(store.check()).resolves.toBeUndefined()
    await using again = await openPostgresWorkItems({ url: database.url })
    await expect(again.check()).resolves.toBeUndefined()
    await database.run('ALTER TABLE work_items ADD CONSTRAINT low CHECK (value < 5)')
    await expect(openPostgresWorkItems({ url: database.url })).rejects.toThrow('has the constraint low on')
  })

  test('twelve processes that start together migrate once', async () => {
    await using database = await server.database()
    const stores = await Promise.all(
      Array.from({ length: 12 }, () => openPostgresWorkItems({ url: database.url, slots: 64 })),
    )
    await expect(database.run('SELECT version FROM ballast_scaler.migrations ORDER BY 1')).resolves.toEqual([
      { version: 1 },
      { version: 2 },
      { version: 3 },
      { version: 4 },
      { version: 5 },
      { version: 6 },
    ])
    await Promise.all(stores.map((store) => store[Symbol.asyncDispose]()))
  })
})

test('a database that only reads is refused in one sentence', async () => {
  await using database = await server.database()
  await database.run(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`)
  await expect(openPostgresWorkItems({ url: database.url })).rejects.toThrow('it only reads')
})

test('the slot follows from the id, whatever a statement says', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const misplaced = async () => {
    const rows = await database.run<{ id: string; slot: number }>('SELECT id, slot FROM work_items')
    return rows.filter(({ id, slot }) => slot !== slotOf(id, store.slots))
  }
  await database.run(`INSERT INTO work_items (id, slot) SELECT gen_random_uuid(), 3 FROM generate_series(1, 100)`)
  await expect(misplaced()).resolves.toEqual([])
  await database.run('UPDATE work_items SET id = gen_random_uuid()')
  await expect(misplaced()).resolves.toEqual([])
  await expect(database.run('UPDATE work_items SET slot = (slot + 1) % 64')).rejects.toThrow('follows from "id"')
  await expect(database.run('UPDATE work_items SET id = gen_random_uuid(), slot = 64')).rejects.toThrow(
    'follows from "id"',
  )
  await expect(misplaced()).resolves.toEqual([])
})

test('a tick computes no column anew: PostgreSQL would look its expression up again for each row', async () => {
  await using database = await server.database()
  await using _ = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const generated = `SELECT attname FROM pg_attribute WHERE attrelid = 'public.work_items'::regclass AND attgenerated <> ''`
  await expect(database.run(generated)).resolves.toEqual([])
})

test('row counts survive renamed ids, truncation and a wrong count', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const leader = await store.leaders.campaign('x', 60_000)
  if (leader === undefined) throw new Error('no leader')
  const truth = async () => {
    const rows = await database.run<{ slot: number; n: string }>(
      'SELECT slot, count(*) AS n FROM work_items GROUP BY slot',
    )
    const counts = new Uint32Array(64)
    for (const { slot, n } of rows) counts[slot] = Number(n)
    return counts
  }
  await store.rows.add({ count: 200 })
  await database.run('UPDATE work_items SET id = gen_random_uuid()')
  await expect(store.leaders.countRows(leader)).resolves.toEqual(await truth())
  await database.run('TRUNCATE work_items')
  await store.rows.add({ count: 20 })
  await expect(store.leaders.countRows(leader)).resolves.toEqual(await truth())
  await database.run('UPDATE ballast_scaler.row_counts SET rows = rows + 5 WHERE slot = 3')
  await expect(store.leaders.recount(leader, 0, 63)).resolves.toEqual({ corrected: 5, errorRows: 0 })
  await expect(store.leaders.countRows(leader)).resolves.toEqual(await truth())
})

test('a row that somebody else keeps locked does not cost the others their tick', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const lease = await soleOwner(store)
  await store.rows.add({ count: 10 })
  await database.run('UPDATE work_items SET last_tick = last_tick - 5')
  await using holder = await database.session()
  await holder.run('BEGIN')
  await holder.run('SELECT FROM work_items ORDER BY id LIMIT 1 FOR UPDATE')
  await expect(store.workers.tick(lease)).resolves.toMatchObject({ kind: 'ticked', rows: 9 })
  await holder.run('ROLLBACK')
  const [row] = await store.rows.list(undefined, 1)
  expect(row?.value).toBe(0)
  await store.workers.tick(lease)
  const [caughtUp] = await store.rows.list(undefined, 1)
  expect(caughtUp?.value).toBeGreaterThanOrEqual(5)
})

test('a row with an impossible last tick stops neither the ticks nor the resume of the others, and leaves the leader its members', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const lease = await soleOwner(store)
  await store.rows.add({ count: 10 })
  const least = '-9223372036854775808'
  await database.run('UPDATE work_items SET last_tick = last_tick - 5')
  await database.run('INSERT INTO work_items (id, last_tick) VALUES (gen_random_uuid(), $1)', [least])
  const ticked = await store.workers.tick(lease)
  expect(ticked).toMatchObject({ kind: 'ticked', rows: 11 })
  const [odd] = await database.run<{ value: number }>('SELECT value FROM work_items ORDER BY value DESC LIMIT 1')
  expect(odd?.value).toBe(ticked.kind === 'ticked' ? Number(ticked.tick) : 0)

  await store.operator.pause()
  await database.run('INSERT INTO work_items (id, last_tick) VALUES (gen_random_uuid(), $1)', [least])
  await store.operator.resume({ catchUp: false })
  await expect(store.operator.pauseState()).resolves.toMatchObject({ pausedSinceMs: undefined, resuming: false })

  const report = { ttlMs: 60_000, rows: 11, lastTickMs: 0, longestGapTicks: 3_000_000_000 }
  await store.workers.heartbeat(lease, report)
  await expect(store.leaders.members()).resolves.toMatchObject([{ longestGapTicks: 2_147_483_647 }])
  await store.workers.register(lease, { weight: 1, ttlMs: 60_000 })
  await expect(store.leaders.members()).resolves.toMatchObject([{ longestGapTicks: 0 }])
})

/** A worker that owns every slot. */
async function soleOwner(store: WorkItemStore): Promise<WorkerLease> {
  const leader = await store.leaders.campaign('x', 60_000)
  if (leader === undefined) throw new Error('no leader')
  const identity = { name: 'a', incarnation: randomUUID() }
  await store.workers.register(identity, { weight: 1, ttlMs: 60_000 })
  await store.leaders.publish(
    leader,
    Array.from({ length: store.slots }, (_, slot) => ({ slot, to: 'a' })),
  )
  await store.leaders.takeOver(leader)
  return store.workers.register(identity, { weight: 1, ttlMs: 60_000 })
}

test('ticks stay HOT: no index entry is written, and the space of old versions is used again', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const lease = await soleOwner(store)
  await store.rows.add({ count: 5_000 })
  for (let round = 0; round < 5; round++) {
    await database.run('SELECT pg_sleep(1.01 - mod(extract(epoch FROM clock_timestamp()), 1)::float8)')
    await expect(store.workers.tick(lease)).resolves.toMatchObject({ rows: 5_000 })
  }
  const stat =
    "SELECT n_tup_upd::integer AS updated, n_tup_hot_upd::integer AS hot FROM pg_stat_user_tables WHERE relname = 'work_items'"
  const seen = await waitUntil(async () => {
    // A server process publishes its counts when it ends a statement, at most once a second.
    await store.check()
    const [row] = await database.run<{ updated: number; hot: number }>(stat)
    return row?.updated === 25_000 ? row : undefined
  })
  // The first update of a row may still leave its page, which was packed by the insert up to the fill factor.
  expect(seen.hot / seen.updated).toBeGreaterThan(0.98)
})

test('a tick costs about what the plainest update of as many rows costs', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url })
  const lease = await soleOwner(store)
  await store.rows.add({ count: 20_000 })
  await database.run('CREATE TABLE plain WITH (fillfactor = 45) AS SELECT id, value, last_tick FROM work_items')
  const fastest = async (work: () => Promise<unknown>) => {
    let bestMs = Number.POSITIVE_INFINITY
    for (let round = 0; round < 4; round++) {
      await database.run('UPDATE work_items SET last_tick = last_tick - 1')
      const startMs = performance.now()
      await work()
      bestMs = Math.min(bestMs, performance.now() - startMs)
    }
    return bestMs
  }
  const plainMs = await fastest(() => database.run('UPDATE plain SET value = value + 1, last_tick = last_tick + 1'))
  const tickMs = await fastest(() => store.workers.tick(lease))
  // A join that drags the slots along, or a generated column with a long expression, costs 20 times as much and more.
  expect(tickMs / plainMs).toBeLessThan(10)
})

test('the clock of the worker has no say in what a tick is', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const lease = await soleOwner(store)
  await store.rows.add({ count: 1 })
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 })
  try {
    await store.workers.tick(lease)
  } finally {
    vi.useRealTimers()
  }
  const [row] = await store.rows.list(undefined, 1)
  expect(row?.value).toBeLessThan(60)
})

test('the bookkeeping needs no right of whoever writes rows', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  const leader = await store.leaders.campaign('x', 60_000)
  if (leader === undefined) throw new Error('no leader')
  const role = `writer_${randomUUID().slice(0, 8)}`
  await database.run(`CREATE ROLE ${role}; GRANT INSERT ON work_items TO ${role}`)
  await database.run(`SET ROLE ${role}`)
  await database.run('INSERT INTO work_items (id) VALUES (gen_random_uuid())')
  await database.run('RESET ROLE')
  const counts = await store.leaders.countRows(leader)
  expect(counts !== 'stale' && counts.reduce((sum, n) => sum + n, 0)).toBe(1)
  await database.run(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})
