import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { postgresAccount, type Account } from './account.ts'
import { postgresBinaries } from './binaries.ts'
import { endOrphan } from './postmaster.ts'

const majorVersion = '18'

/** A folder that a server can be started on, and all that is needed to do so. */
export interface Cluster {
  readonly folder: string
  /** PostgreSQL's own folder. */
  readonly data: string
  readonly account: Account
  readonly password: string
  readonly postgres: string
}

/**
 * Makes the folder and the cluster in it when they are missing; ends a server that was left behind on it. The password
 * becomes that of a new cluster (default: random); an existing one keeps its own.
 */
export async function prepareCluster(dataDir: string, newPassword?: string): Promise<Cluster> {
  const binaries = postgresBinaries()
  const folder = makeFolder(dataDir)
  const account = postgresAccount([folder, binaries.postgres])
  own(account, folder, dataDir)
  const data = join(folder, 'cluster')
  const password = readOrMakePassword(folder, account, newPassword)
  await endOrphan(folder, data)
  checkVersion(data)
  if (!existsSync(data)) {
    await initialise({ cluster: data, initdb: binaries.initdb, passwordFile: join(folder, 'password'), account })
  }
  return { folder, data, account, password, postgres: binaries.postgres }
}

/** Arguments of the server program: loopback only, no Unix socket; settings like `fsync=off` are added. */
export function serverArguments({ data }: Cluster, port: number, settings: readonly string[] = []): string[] {
  const all = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_wal_size=512MB',
    'autovacuum_vacuum_cost_limit=2000',
    'log_timezone=UTC',
    ...settings,
  ]
  return ['-D', data, ...all.flatMap((setting) => ['-c', setting])]
}

/** With the password: a secret. */
export function clusterUrl({ password }: Cluster, port: number, database: string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
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

/** Runs one of PostgreSQL's programs as the cluster's account, in a process group of its own. */
export function run(account: Account, program: string, args: readonly string[], output: 'pipe' | number): ChildProcess {
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

function readOrMakePassword(folder: string, { uid, gid }: Account, given: string | undefined): string {
  const path = join(folder, 'password')
  if (!existsSync(path)) {
    writeFileSync(path, given ?? randomBytes(24).toString('base64url'), { mode: 0o600 })
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

/** What PostgreSQL's programs said last that matters. */
export function lastComplaint(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return (lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? 'no output').trim()
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
