import { startProcess, temporaryFolder } from '@ballast/testing'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@ballast/backends/embedded-postgres'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from './cluster.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
let server: EmbeddedPostgres

beforeAll(async () => {
  folder = await temporaryFolder()
  server = await startEmbeddedPostgres({ dataDir: folder.path })
})
afterAll(async () => {
  await server.stop()
  await folder[Symbol.asyncDispose]()
})

/** A database of its own, after these statements. */
async function database(name: string, ...statements: string[]): Promise<string> {
  const url = new URL(server.url)
  const run = async (database: string, texts: readonly string[]) => {
    url.pathname = `/${database}`
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    for (const text of texts) await client.query(text)
    await client.end()
  }
  await run('ballast', [`CREATE DATABASE ${name}`])
  await run(name, statements)
  return url.href
}

async function failing(args: readonly string[], store: string): Promise<string> {
  await using child = startProcess({ args: [main, ...args], env: { SCALER_STORE: store } })
  await expect(child.exit).resolves.toEqual({ code: 2, signal: null })
  expect(child.stderr).toHaveLength(1)
  return child.stderr[0] ?? ''
}

test.each(['', 'w'.repeat(254)])('a worker called %j is refused in one sentence', async (name) => {
  const args = ['worker', '--listen', '127.0.0.1:0', '--name', name]
  await expect(failing(args, server.url)).resolves.toContain(`must have 1 to 253 characters, not ${name.length}`)
})

test('limits of the autoscaler that exclude each other are refused in one sentence', async () => {
  const args = ['control-plane', '--listen', '127.0.0.1:0', '--min-workers', '5', '--max-workers', '2']
  await expect(failing(args, server.url)).resolves.toMatch(
    /--min-workers \(SCALER_MIN_WORKERS\) is 5, above --max-workers/,
  )
})

test.each([{ args: ['rows', 'add', '0'] }, { args: ['plan', '--add', '1'] }, { args: ['limits', 'foo=1'] }])(
  'wrong use ends with exit code 2: $args',
  async ({ args }) => {
    await expect(failing(args, server.url)).resolves.toMatch(/neither a count|need --what-if|is no limit/)
  },
)

describe.each([['control-plane'], ['worker']])('%s ends with exit code 2 and one sentence when', (role) => {
  const args = [role, '--listen', '127.0.0.1:0']

  test('its configuration is wrong', async () => {
    await expect(failing([...args, '--leese-ttl-ms', '3'], server.url)).resolves.toContain('--leese-ttl-ms')
    await expect(failing(args, 'redis://x')).resolves.toMatch(/give a postgres:\/\/ URL.*--store \(SCALER_STORE\)/)
  })

  test('the database does not answer', async () => {
    const sentence = await failing(args, 'postgres://x:secret@127.0.0.1:1/x')
    expect(sentence).toContain('PostgreSQL at 127.0.0.1:1 cannot be reached')
    expect(sentence).not.toContain('secret')
  })

  test('the database is read-only', async () => {
    const name = `ro_${role.replace('-', '_')}`
    const url = await database(name, `ALTER DATABASE ${name} SET default_transaction_read_only = on`)
    await expect(failing(args, url)).resolves.toContain('it only reads (default_transaction_read_only is on)')
  })

  test('the table has other columns', async () => {
    const url = await database(
      `cols_${role.replace('-', '_')}`,
      'CREATE TABLE work_items (id uuid PRIMARY KEY, value integer)',
    )
    await expect(failing(args, url)).resolves.toContain('has no column "currentworker"')
  })
})
