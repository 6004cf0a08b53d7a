import { randomUUID } from 'node:crypto'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startFaultProxy } from '@ballast/fault-proxy'
import { waitUntil } from '@ballast/testing'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { NotAppliedError } from '../outcome.ts'
import { describeLostMessages, describeServerLife, type FaultSuite } from './contract/faults.ts'
import { add, one } from './contract/operations.ts'
import { testTwoProcesses } from './contract/two-processes.ts'
import { postgresCounterStore } from './postgres.ts'

const url = (server: string, schema: string): string => `${server}?schema=${schema}`
const freshSchema = (): string => `test_${randomUUID().replaceAll('-', '')}`

const suite: FaultSuite = {
  kind: 'postgres',
  name: /PostgreSQL at 127\.0\.0\.1:\d+/,
  lostRequest: 'is not applied',
  end: 'kill',
  async path(backend) {
    const proxy = await startFaultProxy({ target: backend.url })
    onTestFinished(() => proxy[Symbol.asyncDispose]())
    const schema = freshSchema()
    const session = await connect(backend.url)
    const key = Math.floor(Math.random() * 2 ** 31)
    const waiting = async (): Promise<boolean> => {
      const { rows } = await session.query<{ waiting: boolean }>(
        `SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND
          ((locktype = 'advisory' AND objid = $1) OR relation = to_regclass($2))) AS waiting`,
        [key, `${schema}.batches`],
      )
      return rows[0]?.waiting === true
    }
    let letGo: (() => Promise<void>) | undefined
    return {
      open: (options) => postgresCounterStore({ ...options, url: url(proxy.url, schema) }),
      // COMMIT waits for a lock that the test has, and while it does its answer is cut off.
      async loseAnswer() {
        await session.query(`CREATE FUNCTION ${schema}.hold() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM pg_advisory_xact_lock(${key}); RETURN NULL; END $$;
          CREATE CONSTRAINT TRIGGER hold AFTER UPDATE ON ${schema}.counters DEFERRABLE INITIALLY DEFERRED
          FOR EACH ROW EXECUTE FUNCTION ${schema}.hold();
          SELECT pg_advisory_lock(${key})`)
        letGo = async () => {
          proxy.set({ drop: 'answers' })
          await session.query(`SELECT pg_advisory_unlock(${key}); DROP TRIGGER hold ON ${schema}.counters`)
        }
      },
      // The last statement before COMMIT waits for the test, and while it does what follows is cut off.
      async loseRequest() {
        await session.query(`BEGIN; LOCK TABLE ${schema}.batches IN ACCESS EXCLUSIVE MODE`)
        letGo = async () => {
          proxy.set({ drop: 'requests' })
          await session.query('COMMIT')
        }
      },
      async lost() {
        await waitUntil(waiting, { what: 'the write to wait for the test' })
        await letGo?.()
        await waitUntil(() => proxy.droppedBytes > 0, { what: 'something to get lost' })
      },
      heal: async () => proxy.heal(),
    }
  },
  open: (server, options) => postgresCounterStore({ ...options, url: server }),
}

await describeOnBackend('postgres', (backend) => {
  describeLostMessages(suite, backend)
  describeServerLife(suite)

  test('a commit that is given up while it waits for its turn is not applied', async () => {
    const schema = freshSchema()
    await using store = await postgresCounterStore({ url: url(backend.url, schema), timeoutMs: 1_000 })
    await one(store, add('n/a', 1n))
    const session = await connect(backend.url)
    await session.query(`BEGIN; SELECT FROM ${schema}.counters FOR UPDATE`)
    await expect(one(store, add('n/a', 1n))).rejects.toThrow(NotAppliedError)
    await expect(one(store, add('n/b', 1n))).resolves.toMatchObject({ value: 1n })
    await session.query('COMMIT')
    await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({ value: 2n })
  })

  test('rows are taken in the order of their names, whatever the order of the operations', async () => {
    const schema = freshSchema()
    await using store = await postgresCounterStore({ url: url(backend.url, schema), timeoutMs: 10_000 })
    const [holder, prober] = [await connect(backend.url), await connect(backend.url)]
    await holder.query(`BEGIN; INSERT INTO ${schema}.counters (name) VALUES ('n/b')`)
    const writing = store.commit([add('n/b', 1n), add('n/a', 1n)])
    await waitUntil(async () => {
      const { rowCount } = await prober.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${schema}.counters%'`,
      )
      return rowCount === 1
    })
    // It waits for the second name, so it has the first one.
    const probing = prober.query(`SET lock_timeout = 100; INSERT INTO ${schema}.counters (name) VALUES ('n/a')`)
    await expect(probing).rejects.toThrow('lock timeout')
    await holder.query('ROLLBACK')
    await expect(writing).resolves.toMatchObject([{ value: 1n }, { value: 1n }])
  })

  testTwoProcesses(async () => {
    const schema = freshSchema()
    return () => postgresCounterStore({ url: url(backend.url, schema) })
  })
})

async function connect(server: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}
