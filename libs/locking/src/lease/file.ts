import { readFileSync, readlinkSync } from 'node:fs'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FileLock } from '../file-lock.ts'
import { Observation } from './observation.ts'
import { LeaseStoreError, type Fence, type LeaseCall, type LeaseClaim, type LeaseStore, type Taken } from './port.ts'
import { release, renew, take, type Changed, type LeaseRecord } from './record.ts'

/** A clock that several processes share, and the name by which they know that it is the same. */
export interface SharedClock {
  readonly name: string
  nowMs(): number
}

/**
 * The kernel's monotonic clock, which all processes of one boot (and time namespace) share. Elsewhere it has a name of
 * its own per process, so that records of others are observed instead.
 */
export function bootClock(): SharedClock {
  let name = `process ${process.pid} ${process.hrtime.bigint()}`
  try {
    name = `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/time')}`
  } catch {
    // Not Linux, or /proc is hidden.
  }
  return { name, nowMs: () => Number(process.hrtime.bigint() / 1000n) / 1000 }
}

interface FileRecord extends LeaseRecord {
  readonly clock: string
}

/**
 * One JSON file per key in `folder`, changed under a kernel lock and replaced atomically, so that a crash leaves the old
 * or the new record. Records written on this boot are judged by its monotonic clock, all others by observation.
 *
 * A process that is stopped in the midst of a change (a few ms) holds the lock and with it all others, until it goes on
 * or ends: safety before progress. Cost of a call: one lock, two fsyncs. A file that is no record is left alone.
 */
export class FileLeaseStore implements LeaseStore {
  readonly name: string
  readonly #folder: string
  readonly #clock: SharedClock
  readonly #observation = new Observation()

  private constructor(folder: string, clock: SharedClock) {
    this.#folder = resolve(folder)
    this.name = `leases in ${this.#folder}`
    this.#clock = clock
  }

  static async open(folder: string, { clock = bootClock() }: { clock?: SharedClock } = {}): Promise<FileLeaseStore> {
    await mkdir(folder, { recursive: true })
    return new FileLeaseStore(folder, clock)
  }

  take(key: string, claim: LeaseClaim): Promise<Taken> {
    return this.#change(key, claim.timeoutMs, (record) => {
      const nowMs = this.#clock.nowMs()
      return take(record, claim, nowMs, record === undefined ? 0 : this.#leftMs(key, record, nowMs))
    })
  }

  renew(key: string, fence: Fence, { ttlMs, timeoutMs }: LeaseCall): Promise<boolean> {
    return this.#change(key, timeoutMs, (record) => renew(record, fence, ttlMs, this.#clock.nowMs()))
  }

  release(key: string, nonce: string, { timeoutMs }: Pick<LeaseCall, 'timeoutMs'>): Promise<boolean> {
    return this.#change(key, timeoutMs, (record) => release(record, nonce))
  }

  /**
   * Does `work` if the fence is the current one, while it cannot change: for data in files that are written by whoever
   * holds the lease. False: it is not, and `work` was not called.
   */
  async whileCurrent(key: string, fence: Fence, work: () => Promise<void>): Promise<boolean> {
    await using _ = await new FileLock(join(this.#folder, `${key}.lease.lock`)).acquire()
    const record = await this.#read(join(this.#folder, `${key}.lease`))
    if (record?.epoch !== fence.epoch || record.nonce !== fence.nonce) return false
    await work()
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #leftMs(key: string, record: FileRecord, nowMs: number): number {
    if (record.clock === this.#clock.name) return record.expiresAtMs - nowMs
    const version = `${record.clock} ${record.expiresAtMs} ${record.nonce}`
    return this.#observation.leftMs(key, version, record.ttlMs, nowMs)
  }

  async #change<T>(key: string, timeoutMs: number, change: (record: FileRecord | undefined) => Changed<T>): Promise<T> {
    const path = join(this.#folder, `${key}.lease`)
    try {
      await using _ = await new FileLock(`${path}.lock`).acquire({ timeoutMs })
      const before = await this.#read(path)
      const { record, answer } = change(before)
      if (record !== undefined && record !== before) await this.#write(path, { ...record, clock: this.#clock.name })
      return answer
    } catch (error) {
      if (error instanceof LeaseStoreError) throw error
      throw new LeaseStoreError(`${this.name} cannot be used: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  async #read(path: string): Promise<FileRecord | undefined> {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    if (text === undefined) return undefined
    const record = parseRecord(text)
    if (record === undefined) throw new LeaseStoreError(`${path} is not a lease: it is left as it is; move it away`)
    return record
  }

  async #write(path: string, record: FileRecord): Promise<void> {
    const temporary = `${path}.tmp`
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(`${JSON.stringify({ ...record, epoch: String(record.epoch) })}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await using folder = await open(this.#folder, 'r')
    await folder.sync()
  }
}

function parseRecord(text: string): FileRecord | undefined {
  let found: Partial<Record<keyof FileRecord, unknown>>
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed !== 'object' || parsed === null) return undefined
    found = parsed
  } catch {
    return undefined
  }
  const { epoch, nonce, holder, ttlMs, expiresAtMs, clock } = found
  if (typeof epoch !== 'string' || !/^\d{1,30}$/.test(epoch)) return undefined
  if (typeof nonce !== 'string' || typeof holder !== 'string' || typeof clock !== 'string') return undefined
  if (typeof ttlMs !== 'number' || typeof expiresAtMs !== 'number') return undefined
  return { epoch: BigInt(epoch), nonce, holder, ttlMs, expiresAtMs, clock }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
