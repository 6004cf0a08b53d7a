import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NotAppliedError } from '../../outcome.ts'
import { openPostgresWorkItems } from '../postgres.ts'
import { testPostgres, type TestDatabase } from '../test-postgres.ts'
import { connect, sqlState } from './connection.ts'

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

describe('what is known not to have been applied is said so', () => {
  test.each(['55P03', '57014', '40P01', '40001', '53100', '53200'])('SQLSTATE %s', async (state) => {
    const error = await failing(state)
    expect(error).toBeInstanceOf(NotAppliedError)
    expect(sqlState(error)).toBe(state)
  })

  test.each(['40003', '23514', '22003', 'XX000'])('not SQLSTATE %s', async (state) => {
    const error = await failing(state)
    expect(error).not.toBeInstanceOf(NotAppliedError)
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
