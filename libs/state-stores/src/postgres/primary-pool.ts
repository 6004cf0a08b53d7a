import pg from 'pg'
import { findWritable } from './find-writable.ts'
import type { PostgresServers } from './servers.ts'

export type PoolSettings = Omit<pg.PoolConfig, 'connectionString' | 'connectionTimeoutMillis'> & {
  readonly connectionTimeoutMillis: number
}

/** Connections to one server, or to whichever of several takes writes, looked up when there is none and after `lost`. */
export class PrimaryPool {
  readonly #servers: PostgresServers
  readonly #settings: PoolSettings
  readonly #origins = new WeakMap<pg.PoolClient, Promise<pg.Pool>>()
  #pool: Promise<pg.Pool> | undefined
  /** A process that has seen a promotion never writes to a server from before it. */
  #timeline = 0

  constructor(servers: PostgresServers, settings: PoolSettings) {
    this.#servers = servers
    this.#settings = settings
  }

  async connect(): Promise<pg.PoolClient> {
    const opening = (this.#pool ??= this.#open())
    try {
      const client = await (await opening).connect()
      this.#origins.set(client, opening)
      return client
    } catch (error) {
      this.#drop(opening)
      throw error
    }
  }

  /** The server of this connection is gone, or takes no writes any more. */
  lost(client: pg.PoolClient): void {
    const origin = this.#origins.get(client)
    if (origin !== undefined) this.#drop(origin)
  }

  async end(): Promise<void> {
    const pool = await this.#pool?.catch(() => undefined)
    await pool?.end()
  }

  async #open(): Promise<pg.Pool> {
    const { url, timeline } = await findWritable(this.#servers, this.#settings.connectionTimeoutMillis, this.#timeline)
    this.#timeline = timeline
    const pool = new pg.Pool({ ...this.#settings, connectionString: url })
    // An idle connection that breaks is replaced by the next call.
    pool.on('error', () => {})
    // One that breaks while it is in use rejects its query; the event says nothing more.
    pool.on('connect', (client) => client.on('error', () => {}))
    return pool
  }

  #drop(origin: Promise<pg.Pool>): void {
    if (this.#pool !== origin || this.#servers.urls.length === 1) return
    this.#pool = undefined
    // What is still in use is given back first.
    origin.then((pool) => pool.end()).catch(() => {})
  }
}
