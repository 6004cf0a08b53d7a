import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { postgresAccount, type Account } from './embedded-postgres/account.ts'
import { postgresBinaries } from './embedded-postgres/binaries.ts'
import { claimOwnership, dropOwnership, endOrphan, endPostmaster } from './embedded-postgres/postmaster.ts'

export interface EmbeddedPostgresOptions {
  /**
   * Holds `cluster/` (PostgreSQL's own folder), `password`, `postgresql.log` and `launcher.pid`. Created when missing;
   * the data survives restarts. Not for a network file system.
   */
  readonly dataDir: string
  /** Default: a free one, chosen anew at each start. */
  readonly port?: number
}

export interface EmbeddedPostgres {
  /** `postgres://` URL of the database `ballast`, with the password: a secret. */
  readonly url: string
  readonly pid: number
  /** Resolves when the server process has ended, for whatever reason. */
  readonly exited: Promise<void>
  /** Fast shutdown; resolves when the process has gone. Calling it again is harmless. */
  stop(): Promise<void>
}

const majorVersion = '18'

/**
 * Starts a real PostgreSQL 18 on a folder.
 *
 * - It listens on 127.0.0.1 only, without a Unix socket. Every local account can reach loopback, and a PostgreSQL
 *   superuser can run programs, so the server wants a password (SCRAM): 24 random bytes kept in `password`, mode 0600.
 * - It runs in its own process group: Ctrl-C reaches the programs that use it, not the database under them.
 * - A server left behind by a launcher that was killed is ended and its data taken over; one whose launcher lives is an error.
 * - Everything that can go wrong is one sentence: port taken, folder of another version, folder not writable,
 *   no account to run as, no programs for this platform.
 */
export async function startEmbeddedPostgres({ dataDir, port }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = postgresBinaries()
  const folder = makeFolder(dataDir)
  const account = postgresAccount([folder, binaries.postgres])
  own(account, folder, dataDir)
  const cluster = join(folder, 'cluster')
  const password = readOrMakePassword(folder, account)

  await endOrphan(folder, cluster)
  checkVersion(cluster)
  if (!existsSync(cluster))
    await initialise({ cluster, initdb: binaries.initdb, passwordFile: join(folder, 'password'), account })

  for (let attempt = 1; ; attempt++) {
    const chosen = await freePort(port ?? 0)
    try {
      return await launch({ folder, cluster, postgres: binaries.postgres, account, password, port: chosen })
    } catch (error) {
      // Between choosing a free port and binding it another program may have taken it.
      if (port !== undefined || attempt === 3 || !(error instanceof PortTakenError)) throw error
    }
  }
}

class PortTakenError extends Error {}

interface Launch {
  readonly folder: string
  readonly cluster: string
  readonly postgres: string
  readonly account: Account
  readonly password: string
  readonly port: number
}

async function launch({ folder, cluster, postgres, account, password, port }: Launch): Promise<EmbeddedPostgres> {
  const logPath = join(folder, 'postgresql.log')
  const log = openLog(logPath)
  claimOwnership(folder)
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_wal_size=512MB',
    'autovacuum_vacuum_cost_limit=2000',
    'log_timezone=UTC',
  ]
  const args = ['-D', cluster, ...settings.flatMap((setting) => ['-c', setting])]
  const logStart = statSync(logPath).size
  const child = run(account, postgres, args, log)
  closeSync(log)
  let ended = false
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      ended = true
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  const pid = child.pid ?? -1
  const url = (database: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
  const stop = async () => {
    if (!(await endPostmaster(pid, () => ended))) throw new Error(`PostgreSQL ${pid} in ${folder} does not stop`)
    dropOwnership(folder)
  }
  try {
    await waitUntilReady(url('postgres'), () => ended)
  } catch (cause) {
    if (!ended) await stop()
    const said = readFileSync(logPath, 'utf8').slice(logStart)
    if (said.includes('Address already in use')) {
      throw portTaken(port, cause)
    }
    throw new Error(`PostgreSQL did not start in ${folder}: ${lastComplaint(said)}`, { cause })
  }
  return { url: url('ballast'), pid, exited, stop }
}

async function waitUntilReady(url: string, hasEnded: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rowCount } = await client.query(`SELECT FROM pg_database WHERE datname = 'ballast'`)
      if (rowCount === 0) await client.query('CREATE DATABASE ballast')
      return
    } catch (error) {
      if (hasEnded() || performance.now() > deadline) throw error
      await delay(20)
    } finally {
      await client.end().catch(() => {})
    }
  }
}

interface Initialise {
  readonly cluster: string
  readonly initdb: string
  readonly passwordFile: string
  readonly account: Account
}

/** Initialises beside the final place and renames, so that a killed initdb never leaves half a cluster behind. */
async function initialise({ cluster, initdb, passwordFile, account }: Initialise): Promise<void> {
  // An initdb outlives a killed launcher for a moment: the draft is our own, and those of others are swept afterwards.
  const draft = `${cluster}.initialising-${process.pid}`
  rmSync(draft, { recursive: true, force: true })
  const args = [`--pgdata=${draft}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  args.push(
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--no-instructions',
  )
  const child = run(account, initdb, args, 'pipe')
  const said: string[] = []
  child.stdout?.on('data', (chunk) => said.push(String(chunk)))
  child.stderr?.on('data', (chunk) => said.push(String(chunk)))
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(code === 0 ? undefined : lastComplaint(said.join(''))))
  })
  if (failure !== undefined) {
    rmSync(draft, { recursive: true, force: true })
    throw new Error(`initdb could not create ${cluster}: ${failure}`)
  }
  renameSync(draft, cluster)
  for (const name of readdirSync(dirname(cluster))) {
    if (!name.startsWith('cluster.initialising-')) continue
    rmSync(join(dirname(cluster), name), { recursive: true, force: true, maxRetries: 5 })
  }
}

function run(account: Account, program: string, args: readonly string[], output: 'pipe' | number): ChildProcess {
  const [command = program, ...words] = [...account.prefix, program, ...args]
  return spawn(command, words, {
    ...account.options,
    cwd: '/',
    // PG* variables of the user would redirect the programs; messages are matched, so they must be English.
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
    detached: true,
    stdio: ['ignore', output, output],
  })
}

function makeFolder(dataDir: string): string {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o755 })
    return realpathSync(dataDir)
  } catch (cause) {
    throw new Error(`the data folder ${dataDir} cannot be created: ${reason(cause)}`, { cause })
  }
}

function own({ uid, gid }: Account, path: string, dataDir: string): void {
  try {
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
    const probe = join(path, '.writable')
    writeFileSync(probe, '')
    rmSync(probe)
  } catch (cause) {
    throw new Error(`the data folder ${dataDir} is not writable: ${reason(cause)}`, { cause })
  }
}

function readOrMakePassword(folder: string, { uid, gid }: Account): string {
  const path = join(folder, 'password')
  if (!existsSync(path)) {
    writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600 })
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid)
  }
  return readFileSync(path, 'utf8').trim()
}

function checkVersion(cluster: string): void {
  const path = join(cluster, 'PG_VERSION')
  if (!existsSync(cluster)) return
  const version = existsSync(path) ? readFileSync(path, 'utf8').trim() : 'unknown'
  if (version !== majorVersion) {
    throw new Error(
      `${cluster} is of PostgreSQL ${version}, and this is PostgreSQL ${majorVersion}; upgrade it with pg_upgrade or choose another data folder`,
    )
  }
}

function openLog(path: string): number {
  if (existsSync(path) && statSync(path).size > 16 * 1024 * 1024) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

function lastComplaint(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return (lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? 'no output').trim()
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The port itself when it is free, and any free one for 0. */
async function freePort(port: number): Promise<number> {
  const server = createServer().listen(port, '127.0.0.1')
  await new Promise((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', (cause) => reject(portTaken(port, cause)))
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : port
}

function portTaken(port: number, cause: unknown): PortTakenError {
  return new PortTakenError(`port ${port} of 127.0.0.1 is taken; choose another one for PostgreSQL`, { cause })
}
