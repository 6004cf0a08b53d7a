import { dirname } from 'node:path'
import { NotAppliedError } from '../../outcome.ts'
import type { FileSystem, WritableFile } from './file-system.ts'
import { logHeader } from './log-record.ts'
import { describe, temporaryPath } from './replace-file.ts'

/** The log of `x/counter.json` whose first record is the commit after this one. */
export const logPath = (path: string, after: number): string => `${path}.log.${after}`

/** The commit that a file beside `counter.json` continues, if it is one of its logs. */
export function logNumber(base: string, name: string): number | undefined {
  const [, digits] = name.startsWith(base) ? (/^\.log\.(\d{1,16})$/.exec(name.slice(base.length)) ?? []) : []
  return digits === undefined ? undefined : Number(digits)
}

/** A file to which commits are appended, one fdatasync each. */
export class LogSegment {
  readonly after: number
  readonly path: string
  readonly #file: WritableFile
  #bytes: number

  private constructor(file: WritableFile, path: string, after: number, bytes: number) {
    this.#file = file
    this.path = path
    this.after = after
    this.#bytes = bytes
  }

  /**
   * A new inode under a new name, durable both, with `content` (default: nothing but the header). On failure the name
   * may be there, but nothing has been appended to it.
   */
  static async create(fs: FileSystem, path: string, after: number, content = logHeader(after)): Promise<LogSegment> {
    const name = logPath(path, after)
    const temporary = temporaryPath(name)
    const file = await fs.create(temporary)
    try {
      await file.write([content])
      await file.sync()
      await fs.rename(temporary, name)
      await fs.syncFolder(dirname(path))
      return new LogSegment(file, name, after, content.byteLength)
    } catch (error) {
      await file.close().catch(() => {})
      await fs.remove(temporary).catch(() => {})
      throw error
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Resolves, with the milliseconds of the fdatasync, when the record is durable. Rejects with `NotAppliedError` when
   * it is as if it had never been written; after any other rejection either may be the case, and the file must be
   * read again.
   */
  async append(record: Uint8Array): Promise<number> {
    try {
      await this.#file.write([record])
    } catch (error) {
      // A part of it may be there, and a whole one would count after a crash.
      await this.#file.truncate(this.#bytes)
      await this.#file.syncData()
      throw new NotAppliedError(`${this.path} could not be written: ${describe(error)}`, { cause: error })
    }
    const startedMs = performance.now()
    await this.#file.syncData()
    this.#bytes += record.byteLength
    return performance.now() - startedMs
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}
