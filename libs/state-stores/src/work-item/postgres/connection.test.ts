import { waitUntil } from '@ballast/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { sqlState } from '../../postgres/outcome.ts'
import { openPostgresWorkItems } from '../postgres.ts'
import { testPostgres, type TestDatabase } from '../test-postgres.ts'
import { connect } from './connection.ts'

const server = await testPostgres()
let database: TestDatabase

beforeAll(async () => {
  database = await server.database()
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
})

const failing = async (state: string): Promise<unknown> => {
  await using connection = connect({ url: database.url, applicationName: 'test' })
  const statement = `DO $$ BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = '${state}'; END $$`
  return connection.query(statement).catch((error: unknown) => error)
}

describe('what the server refused was not applied, and nothing of the driver comes out but as the cause', () => {
  test.each(['55P03', '57014', '40P01', '40001', '53100', '53200', '23514', '22003', '42P01', 'XX000'])(
    'SQLSTATE %s',
    async (state) => {
      const error = await failing(state)
      expect(error).toBeInstanceOf(NotAppliedError)
      expect(error).toMatchObject({ message: expect.stringMatching(/^PostgreSQL at \S+ refused: as asked$/) })
      expect(sqlState(error)).toBe(state)
    },
  )

  test.each(['40003', '08006'])('but not SQLSTATE %s, which leaves it open', async (state) => {
    const error = await failing(state)
    expect(error).toBeInstanceOf(OutcomeUnknownError)
    expect(sqlState(error)).toBe(state)
  })
})

test('rows that a transaction holds are not removed, and nothing of the removal is', async () => {
  await using store = await openPostgresWorkItems({ url: database.url, slots: 64 })
  await store.rows.add({ count: 3 })
  await using holder = await database.session()
  await holder.run('BEGIN')
  await holder.run('SELECT FROM work_items ORDER BY id DESC LIMIT 1 FOR UPDATE')
  await expect(store.rows.remove({ count: 3 })).rejects.toThrow(NotAppliedError)
  await holder.run('ROLLBACK')
  await expect(store.rows.count()).resolves.toBe(3)
  await expect(store.rows.remove({ count: 3 })).resolves.toBe(3)
})

describe('a database that changes under a running store', () => {
  test('whose tables are gone is not ready, says which, and refuses', async () => {
    await using own = await server.database()
    await using store = await openPostgresWorkItems({ url: own.url, slots: 64 })
    await store.check()
    await own.run('ALTER SCHEMA ballast_scaler RENAME TO elsewhere')
    await expect(store.check()).rejects.toThrow(
      /^PostgreSQL at \S+ cannot be used: it has lost ballast_scaler\.settings, .*: restore a backup/,
    )
    await expect(store.operator.limits()).rejects.toBeInstanceOf(NotAppliedError)
    await expect(store.operator.limits()).rejects.toThrow(/^PostgreSQL at \S+ refused: relation \S+ does not exist$/)
    await own.run('ALTER SCHEMA elsewhere RENAME TO ballast_scaler')
    await store.check()
  })

  test('that only reads is not ready, names the setting once, and is written to again as soon as it may be', async () => {
    await using own = await server.database()
    await using store = await openPostgresWorkItems({ url: own.url, slots: 64 })
    const set = async (value: string): Promise<void> => {
      await own.run(`ALTER DATABASE ${own.name} SET default_transaction_read_only = ${value}`)
      // What a reload does to the sessions that are there.
      await own.run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'ballast-scaler'`)
    }
    await set('on')
    const refused = await waitForRefusal(() => store.rows.add({ count: 1 }))
    expect(refused).toBeInstanceOf(NotAppliedError)
    expect(refused.message).toMatch(/^PostgreSQL at \S+ takes no writes \(cannot execute .* read-only transaction\): /)
    expect(refused.message.match(/PostgreSQL at/g)).toHaveLength(1)
    expect(refused.message).toContain('default_transaction_read_only')
    await expect(store.check()).rejects.toThrow(/cannot be used: it only reads \(default_transaction_read_only is on\)/)
    await expect(store.rows.count()).resolves.toBe(0)
    await own.run('SET default_transaction_read_only = off')
    await set('off')
    await waitUntil(() => store.check().then(() => true))
    await expect(store.rows.add({ count: 1 })).resolves.toBe(1)
  })
})

/** The first refusal that is not the loss of a connection. */
function waitForRefusal(call: () => Promise<unknown>): Promise<Error> {
  return waitUntil(async () => {
    const error = await call().then(
      () => undefined,
      (failure: unknown) => failure,
    )
    return error instanceof Error && /takes no writes/.test(error.message) ? error : undefined
  })
}
