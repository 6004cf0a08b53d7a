import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '@ballast/testing'
import pg from 'pg'
import { processTree, signalAll } from '../process-tree.ts'
import { clusterUrl, lastComplaint, prepareCluster, run, serverArguments, type Cluster } from './cluster.ts'
import { claimOwnership, dropOwnership, endPostmaster } from './postmaster.ts'

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
  /** Reaches the postmaster and all sessions, which are in process groups of their own. */
  signal(signal: NodeJS.Signals): Promise<void>
  /** Fast shutdown, also of one that was stopped by a signal; resolves when the process has gone. Calling it again is harmless. */
  stop(): Promise<void>
}

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
  const cluster = await prepareCluster(dataDir)
  for (let attempt = 1; ; attempt++) {
    const chosen = port ?? (await freePort())
    try {
      return await launch(cluster, chosen)
    } catch (error) {
      // Between choosing a free port and binding it another program may have taken it.
      if (port !== undefined || attempt === 3 || !(error instanceof PortTakenError)) throw error
    }
  }
}

class PortTakenError extends Error {}

async function launch(cluster: Cluster, port: number): Promise<EmbeddedPostgres> {
  const { folder, account, postgres } = cluster
  const logPath = join(folder, 'postgresql.log')
  const log = openLog(logPath)
  claimOwnership(folder)
  const logStart = statSync(logPath).size
  const child = run(account, postgres, serverArguments(cluster, port), log)
  closeSync(log)
  let ended = false
  let isPaused = false
  const exited = new Promise<void>((resolve) => {
    const end = () => {
      ended = true
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  const pid = child.pid ?? -1
  // Of one that has ended nothing: its number may be another program's by now.
  const signal = async (name: NodeJS.Signals) => {
    isPaused = name === 'SIGSTOP'
    signalAll(ended ? [] : await processTree(pid), name)
  }
  const stop = async () => {
    if (isPaused) await signal('SIGCONT')
    if (!(await endPostmaster(pid, () => ended))) throw new Error(`PostgreSQL ${pid} in ${folder} does not stop`)
    dropOwnership(folder)
  }
  try {
    await waitUntilReady(clusterUrl(cluster, port, 'postgres'), () => ended)
  } catch (cause) {
    if (!ended) await stop()
    const said = readFileSync(logPath, 'utf8').slice(logStart)
    if (said.includes('Address already in use')) {
      throw portTaken(port, cause)
    }
    throw new Error(`PostgreSQL did not start in ${folder}: ${lastComplaint(said)}`, { cause })
  }
  return { url: clusterUrl(cluster, port, 'ballast'), pid, exited, signal, stop }
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

function openLog(path: string): number {
  if (existsSync(path) && statSync(path).size > 16 * 1024 * 1024) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

function portTaken(port: number, cause: unknown): PortTakenError {
  return new PortTakenError(`port ${port} of 127.0.0.1 is taken; choose another one for PostgreSQL`, { cause })
}
