import { basename, dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { TroubleError } from '../trouble.ts'
import type { FileSystem } from './file-system.ts'
import { hex } from './lines.ts'

/** The content is not what somebody once wrote, or a part of it is missing: nobody can make sense of it as it is. */
export class DamageError extends TypeError {
  override readonly name = 'DamageError'
}

/** A file that cannot be read as what it is meant to be. */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError'
  readonly path: string
  /** There when the content is damaged, rather than of somebody else or not to be had. */
  readonly content: Uint8Array | undefined

  constructor(path: string, cause: unknown, content?: Uint8Array) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`${path} cannot be read as counters (${reason})`, { cause })
    this.path = path
    this.content = cause instanceof TypeError ? content : undefined
  }
}

/**
 * For what is damaged, or lacks a part, a `TroubleError` that says so, and where a copy of it is kept; any other error as
 * it is.
 */
export async function reportDamage(fs: FileSystem, path: string, error: unknown): Promise<unknown> {
  if (error instanceof DamageError) return troubled(path, `${error.message}; nothing was changed`, error)
  if (!(error instanceof UnreadableError) || error.content === undefined) return error
  const copy = await keepDamaged(fs, error.path, error.content)
  const kept = copy === undefined ? '' : `, with a copy in ${basename(copy)}`
  return troubled(path, `${error.message}: it was left as it is${kept}`, error)
}

const troubled = (path: string, message: string, cause: Error): TroubleError =>
  new TroubleError(message, { kind: 'damaged', detail: message.replaceAll(join(dirname(path), '/'), '') }, { cause })

/**
 * Keeps damaged content under a name that says so, whatever is done to the file itself later. The file stays where it
 * is: were it moved, the next start would take its absence for an empty store. The name carries the checksum of the
 * content, so that it is kept once. Returns where, or `undefined` when there was no room for it.
 */
async function keepDamaged(fs: FileSystem, path: string, content: Uint8Array): Promise<string | undefined> {
  const copy = `${path}.damaged-${hex(crc32(content))}`
  try {
    if ((await fs.identity(copy)) !== undefined) return copy
    const file = await fs.create(`${copy}.tmp`)
    try {
      await file.write([content])
      await file.sync()
    } finally {
      await file.close()
    }
    await fs.rename(`${copy}.tmp`, copy)
    await fs.syncFolder(dirname(path))
    return copy
  } catch {
    return undefined
  }
}
