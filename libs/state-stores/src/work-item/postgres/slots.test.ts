import { randomUUID } from 'node:crypto'
import { slotOf } from '@ballast/hashing'
import { expect, test } from 'vitest'
import { openPostgresWorkItems } from '../postgres.ts'
import { testPostgres, type TestDatabase } from '../test-postgres.ts'

const server = await testPostgres()
const slots = 64

async function misplaced(database: TestDatabase): Promise<readonly object[]> {
  const rows = await database.run<{ id: string; slot: number }>('SELECT id, slot FROM public.work_items')
  return rows.filter(({ id, slot }) => slot !== slotOf(id, slots))
}

test('a trigger of the table that sets the id fires before the one that sets the slot', async () => {
  await using database = await server.database()
  await database.run(`CREATE TABLE work_items (id uuid PRIMARY KEY, value integer, currentworker text);
    CREATE FUNCTION fresh_id() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.id := gen_random_uuid(); RETURN NEW; END';
    CREATE TRIGGER set_id BEFORE INSERT ON work_items FOR EACH ROW EXECUTE FUNCTION fresh_id()`)
  await using _ = await openPostgresWorkItems({ url: database.url, slots })
  await database.run('INSERT INTO work_items (value) SELECT 0 FROM generate_series(1, 50)')
  await database.run('INSERT INTO work_items (id) SELECT gen_random_uuid() FROM generate_series(1, 50)')
  await expect(database.run('SELECT count(*)::integer AS n FROM work_items')).resolves.toEqual([{ n: 100 }])
  await expect(misplaced(database)).resolves.toEqual([])
})

test('a restored dump of an earlier schema may find functions of a later one', async () => {
  await using database = await server.database()
  await database.run(`CREATE SCHEMA ballast_scaler;
    CREATE FUNCTION ballast_scaler.slot_given() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE FUNCTION ballast_scaler.slot_refused() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE FUNCTION ballast_scaler.repair_slots(leader_epoch bigint, leader_nonce uuid, from_slot integer, to_slot integer)
      RETURNS TABLE (leads boolean, repaired bigint) LANGUAGE sql AS 'SELECT false, 0::bigint'`)
  await using store = await openPostgresWorkItems({ url: database.url, slots })
  await expect(store.rows.add({ count: 20 })).resolves.toBe(20)
  await expect(misplaced(database)).resolves.toEqual([])
})

test('a slot follows from the id for replicated rows, and whatever functions and operators the search_path has', async () => {
  await using database = await server.database()
  await using _ = await openPostgresWorkItems({ url: database.url, slots })
  await using session = await database.session()
  await session.run(`CREATE SCHEMA odd;
    CREATE FUNCTION odd.get_byte(bytea, integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION odd.uuid_send(uuid) RETURNS bytea LANGUAGE sql AS $$SELECT '\\x00'::bytea$$;
    CREATE FUNCTION odd.none(bigint, bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 0::bigint';
    CREATE OPERATOR odd.* (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = odd.none)`)
  await session.run('SET search_path = odd, pg_catalog, public')
  await session.run('INSERT INTO work_items (id) SELECT gen_random_uuid() FROM generate_series(1, 20)')
  await session.run('RESET search_path; SET session_replication_role = replica')
  await session.run('INSERT INTO work_items (id) SELECT gen_random_uuid() FROM generate_series(1, 20)')
  await session.run('INSERT INTO work_items (id, slot) SELECT gen_random_uuid(), 99999 FROM generate_series(1, 20)')
  await session.run('UPDATE work_items SET id = gen_random_uuid()')
  await expect(misplaced(database)).resolves.toEqual([])
})

test('rows that were written past the triggers are found, explained and repaired by the leader', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots })
  const leader = await store.leaders.campaign('x', 60_000)
  if (leader === undefined) throw new Error('no leader')
  await store.rows.add({ count: 30 })
  const lost = randomUUID()
  await database.run(`BEGIN; ALTER TABLE work_items DISABLE TRIGGER ALL;
    INSERT INTO work_items (id) SELECT gen_random_uuid() FROM generate_series(1, 20);
    INSERT INTO work_items (id, slot) VALUES ('${lost}', 99999);
    UPDATE work_items SET slot = (slot + 1) % ${slots} WHERE slot BETWEEN 0 AND ${slots - 1};
    ALTER TABLE work_items ENABLE TRIGGER ALL; COMMIT`)
  await expect(store.rows.explain(lost)).resolves.toMatchObject({ slot: 99_999, owner: undefined, formerOwners: [] })
  await using holder = await database.session()
  await holder.run(`BEGIN; SELECT FROM work_items WHERE id = '${lost}' FOR UPDATE`)
  await expect(store.leaders.repairSlots(leader, 1, 0), 'of no slot that there is').resolves.toBe(20)
  await holder.run('ROLLBACK')
  await expect(store.leaders.repairSlots(leader, 0, slots - 1)).resolves.toBe(31)
  await expect(store.leaders.repairSlots(leader, 0, slots - 1)).resolves.toBe(0)
  await expect(misplaced(database)).resolves.toEqual([])
  await store.leaders.recount(leader, 0, slots - 1)
  const counts = await store.leaders.countRows(leader)
  expect(counts !== 'stale' && counts.reduce((sum, n) => sum + n, 0)).toBe(51)
  await expect(store.leaders.recount(leader, 0, slots - 1)).resolves.toEqual({ corrected: 0, errorRows: 0 })
})

test('a rename whose slot row security would leave wrong is refused', async () => {
  await using database = await server.database()
  await using store = await openPostgresWorkItems({ url: database.url, slots })
  await store.rows.add({ count: 5 })
  const role = `owner_${randomUUID().slice(0, 8)}`
  const writer = `writer_${randomUUID().slice(0, 8)}`
  await database.run(`CREATE ROLE ${role}; CREATE ROLE ${writer};
    GRANT USAGE, CREATE ON SCHEMA public, ballast_scaler TO ${role}; GRANT ALL ON ALL TABLES IN SCHEMA ballast_scaler TO ${role};
    ALTER TABLE work_items OWNER TO ${role}; ALTER FUNCTION ballast_scaler.row_renamed() OWNER TO ${role};
    ALTER TABLE work_items ENABLE ROW LEVEL SECURITY; ALTER TABLE work_items FORCE ROW LEVEL SECURITY;
    CREATE POLICY writers ON work_items TO ${writer} USING (true); GRANT ALL ON work_items TO ${writer}`)
  await database.run(`SET ROLE ${writer}`)
  await expect(database.run('UPDATE work_items SET id = gen_random_uuid()')).rejects.toThrow(
    'row security keeps the owner',
  )
  await database.run('RESET ROLE')
  await database.run(`CREATE POLICY owners ON work_items TO ${role} USING (true); SET ROLE ${writer}`)
  await database.run('UPDATE work_items SET id = gen_random_uuid()')
  await database.run('RESET ROLE')
  await expect(misplaced(database)).resolves.toEqual([])
  await database.run(`ALTER TABLE work_items OWNER TO CURRENT_USER; ALTER FUNCTION ballast_scaler.row_renamed() OWNER TO CURRENT_USER;
    DROP OWNED BY ${role}, ${writer}; DROP ROLE ${role}; DROP ROLE ${writer}`)
})
