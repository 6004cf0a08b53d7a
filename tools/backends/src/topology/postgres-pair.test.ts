import { waitUntil } from '@ballast/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startPostgresPair } from './postgres-pair.ts'

async function run(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

test('a synchronous standby has what was answered, and takes over on a timeline of its own', async () => {
  await using pair = await startPostgresPair({ synchronous: true })
  const { primary, standby } = pair
  await run(primary.url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n')
  await expect(run(standby.url, 'CREATE TABLE refused ()')).rejects.toThrow('read-only transaction')
  await primary.kill()
  await pair.promote()
  await expect(run(standby.url, 'SELECT count(*)::int FROM kept')).resolves.toEqual([{ count: 1000 }])
  await run(standby.url, 'INSERT INTO kept VALUES (0)')
  await standby.restart()
  await expect(run(standby.url, 'SELECT count(*)::int FROM kept')).resolves.toEqual([{ count: 1001 }])
  await expect(run(standby.url, 'SELECT timeline_id::int AS timeline FROM pg_control_checkpoint()')).resolves.toEqual([
    { timeline: 2 },
  ])
})

test('an asynchronous one is read from soon, and a restart of either does not part them', async () => {
  await using pair = await startPostgresPair({ synchronous: false, durability: 'none' })
  const { primary, standby, url } = pair
  expect(url).toMatch(/@127\.0\.0\.1:\d+,127\.0\.0\.1:\d+\/ballast\?target_session_attrs=read-write$/)
  await run(primary.url, 'CREATE TABLE kept AS SELECT 1 AS n')
  await standby.restart()
  await primary.restart()
  await run(primary.url, 'INSERT INTO kept VALUES (2)')
  await waitUntil(async () => (await run(standby.url, 'SELECT FROM kept')).length === 2)
})
