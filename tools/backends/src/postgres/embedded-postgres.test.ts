import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startEmbeddedPostgres } from './embedded-postgres.ts'

const module = fileURLToPath(new URL('./embedded-postgres.ts', import.meta.url))

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url })
  // The loss of a connection is told by the query; nobody else need hear of it.
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

test('data survives a restart, the password is private, and only loopback is listened on', async () => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'postgres')
  const first = await startEmbeddedPostgres({ dataDir })
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await expect(query(first.url, 'SHOW listen_addresses')).resolves.toEqual([{ listen_addresses: '127.0.0.1' }])
  await expect(query(first.url.replace(/:[^:@]+@/, ':wrong@'), 'SELECT 1')).rejects.toThrow('password authentication')
  await first.stop()
  await first.stop()
  expect(statSync(join(dataDir, 'password')).mode & 0o077).toBe(0)

  const second = await startEmbeddedPostgres({ dataDir })
  try {
    await expect(query(second.url, 'SELECT answer FROM kept')).resolves.toEqual([{ answer: 42 }])
    await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(`is in use by process ${process.pid}`)
  } finally {
    await second.stop()
  }
})

test('a server whose launcher was killed is ended and its data taken over', async () => {
  await using folder = await temporaryFolder()
  const dataDir = join(folder.path, 'postgres')
  const script = `import { startEmbeddedPostgres } from ${JSON.stringify(module)}
    const { url, pid } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)} })
    console.log(JSON.stringify({ url, pid }))`
  let orphan: { url: string; pid: number }
  {
    await using launcher = startProcess({ args: ['--input-type=module', '-e', script] })
    orphan = JSON.parse(await launcher.waitForLine(/^\{/))
    await query(orphan.url, 'CREATE TABLE kept AS SELECT 7 AS answer')
    launcher.kill('SIGKILL')
  }
  expect(() => process.kill(orphan.pid, 0), 'PostgreSQL outlives its launcher').not.toThrow()
  const next = await startEmbeddedPostgres({ dataDir })
  try {
    await expect(query(orphan.url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED|password/)
    await expect(query(next.url, 'SELECT answer FROM kept')).resolves.toEqual([{ answer: 7 }])
  } finally {
    await next.stop()
  }
})

test.runIf(process.platform === 'linux')(
  'the sessions that a killed postmaster left at work do not keep the next one from its memory',
  async () => {
    await using folder = await temporaryFolder()
    const first = await startEmbeddedPostgres({ dataDir: folder.path })
    await query(first.url, 'CREATE TABLE kept AS SELECT 3 AS answer')
    // It waits for nothing, so it does not notice by itself that its postmaster has gone.
    const busy = query(first.url, 'DO $$ BEGIN LOOP END LOOP; END $$').catch((error: unknown) => error)
    await waitUntil(
      async () =>
        (await query(first.url, `SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'`)).length >
        0,
      { timeoutMs: 60_000, what: 'the busy session' },
    )
    process.kill(first.pid, 'SIGKILL')
    await first.exited
    const next = await startEmbeddedPostgres({ dataDir: folder.path })
    try {
      await expect(busy).resolves.toBeInstanceOf(Error)
      await expect(query(next.url, 'SELECT answer FROM kept')).resolves.toEqual([{ answer: 3 }])
    } finally {
      await next.stop()
    }
  },
)

test('it is in a process group of its own, so that Ctrl-C does not reach it', async () => {
  await using folder = await temporaryFolder()
  const server = await startEmbeddedPostgres({ dataDir: folder.path })
  try {
    await using ps = startProcess({ command: 'ps', args: ['-o', 'pgid=', '-p', String(server.pid)] })
    await ps.exit
    expect(Number(ps.stdout[0])).toBe(server.pid)
  } finally {
    await server.stop()
  }
})

test('a taken port, another version and a place that cannot be written are one sentence each', async () => {
  await using folder = await temporaryFolder()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const dataDir = join(folder.path, 'postgres')
  await expect(startEmbeddedPostgres({ dataDir, port })).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`)
  taken.close()

  writeFileSync(join(dataDir, 'cluster', 'PG_VERSION'), '15\n')
  await expect(startEmbeddedPostgres({ dataDir })).rejects.toThrow(/is of PostgreSQL 15, and this is PostgreSQL 18/)

  writeFileSync(join(folder.path, 'file'), '')
  await expect(startEmbeddedPostgres({ dataDir: join(folder.path, 'file', 'x') })).rejects.toThrow('cannot be created')
})

test('an initdb that was killed half-way leaves nothing behind that the next start trips over', async () => {
  await using folder = await temporaryFolder()
  const script = `import { startEmbeddedPostgres } from ${JSON.stringify(module)}
    await startEmbeddedPostgres({ dataDir: ${JSON.stringify(folder.path)} })`
  {
    await using launcher = startProcess({ args: ['--input-type=module', '-e', script] })
    const draft = join(folder.path, `cluster.initialising-${launcher.pid}`, 'PG_VERSION')
    await waitUntil(() => readFileSync(draft, 'utf8'), { everyMs: 1, what: 'initdb to be at work' })
    launcher.kill('SIGKILL')
  }
  const server = await startEmbeddedPostgres({ dataDir: folder.path })
  await expect(query(server.url, 'SELECT 1 AS one')).resolves.toEqual([{ one: 1 }])
  await server.stop()
})

test.runIf(process.getuid?.() === 0)('root may keep the data under a folder that only root can enter', async () => {
  await using folder = await temporaryFolder()
  chmodSync(folder.path, 0o700)
  const server = await startEmbeddedPostgres({ dataDir: join(folder.path, 'deep', 'postgres') })
  try {
    await expect(query(server.url, 'SELECT 1 AS one')).resolves.toEqual([{ one: 1 }])
  } finally {
    await server.stop()
  }
  expect(statSync(folder.path).mode & 0o777, 'nobody loosened the folder').toBe(0o700)
})
