import { mkdir, open, truncate, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { FileLock, LockTimeoutError, nameHolder, type HeldLock } from '@ballast/locking'
import { GroupCommit } from '@ballast/state-stores/group-commit'
import { readAuditLog } from './read-audit-log.ts'
import { encodeRecord, type AuditRecord } from './record.ts'

/**
 * A file to which records are only ever added, by one process. All who wait share a write and an fdatasync. What could
 * not be written stays first in line, and is written before anything that comes later.
 */
export class AuditLog implements AsyncDisposable {
  readonly path: string
  readonly #file: FileHandle
  readonly #lock: HeldLock
  readonly #group: GroupCommit<readonly AuditRecord[], undefined>
  readonly #synced: (durationMs: number) => void
  #chain: string
  /** Of what is durable. */
  #bytes: number
  #unwritten: AuditRecord[] = []
  #failed = false

  private constructor(
    path: string,
    file: FileHandle,
    lock: HeldLock,
    end: { chain: string; bytes: number },
    synced: (durationMs: number) => void,
  ) {
    this.path = path
    this.#file = file
    this.#lock = lock
    this.#chain = end.chain
    this.#bytes = end.bytes
    this.#synced = synced
    this.#group = new GroupCommit({
      commit: (lists) => this.#append(lists.flat()).then(() => lists.map(() => undefined)),
    })
  }

  /**
   * Takes the lock, gives every record to `visit`, and cuts off a torn last line. Rejects with one sentence when another
   * process writes this log, or it is damaged; then it is left as it is.
   */
  static async open(
    path: string,
    visit: (record: AuditRecord) => void,
    synced: (durationMs: number) => void = () => {},
  ): Promise<AuditLog> {
    const whole = resolve(path)
    await mkdir(dirname(whole), { recursive: true })
    const lock = await takeLock(whole)
    try {
      const end = await readAuditLog(whole, visit)
      if (end.tornBytes > 0) await truncate(whole, end.bytes)
      const file = await open(whole, 'a')
      // The cut, and the name of a new file, must be durable before anything follows.
      await file.sync()
      await syncFolder(dirname(whole))
      return new AuditLog(whole, file, lock, end, synced)
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** Resolves when they are durable. After a rejection they are kept and written first. */
  async append(records: readonly AuditRecord[]): Promise<void> {
    await this.#group.submit(records)
  }

  /** Rejects while something that happened cannot be written down. */
  async check(): Promise<void> {
    if (this.#unwritten.length > 0) await this.append([])
  }

  async close(): Promise<void> {
    await this.#group.close()
    await this.#file.close()
    await this.#lock.release()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #append(records: readonly AuditRecord[]): Promise<void> {
    const startedMs = performance.now()
    this.#unwritten.push(...records)
    let chain = this.#chain
    const lines = this.#unwritten.map((record) => {
      const encoded = encodeRecord(record, chain)
      chain = encoded.chain
      return `${encoded.line}\n`
    })
    if (lines.length === 0) return
    const bytes = Buffer.from(lines.join(''))
    // What an earlier attempt has left behind is written anew.
    if (this.#failed) await this.#file.truncate(this.#bytes)
    this.#failed = true
    await this.#file.appendFile(bytes)
    await this.#file.datasync()
    this.#chain = chain
    this.#bytes += bytes.length
    this.#unwritten = []
    this.#failed = false
    this.#synced(performance.now() - startedMs)
  }
}

async function takeLock(path: string): Promise<HeldLock> {
  const lock = new FileLock(`${path}.lock`)
  try {
    return await lock.acquire({ timeoutMs: 1_000 })
  } catch (error) {
    if (!(error instanceof LockTimeoutError)) throw error
    throw new Error(
      `${path} is written by ${await nameHolder(lock.path)}: give each process an --audit-log of its own`,
      {
        cause: error,
      },
    )
  }
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}
