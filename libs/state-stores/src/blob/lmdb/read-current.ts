import type { LmdbEnvironment } from '../../lmdb-environment.ts'
import { UnreadableBlobError } from '../port.ts'

/**
 * Reads what is current over all processes. After the write of a meta page failed lmdb lets nobody read either: that is
 * an `UnreadableBlobError`, which says so.
 */
export function readCurrent<Result>(environment: LmdbEnvironment, read: () => Result): Result {
  try {
    environment.refresh()
    return read()
  } catch (cause) {
    // Errors of lmdb have a number, those of this program have none.
    if (!(cause instanceof Error && 'code' in cause && typeof cause.code === 'number')) throw cause
    throw new UnreadableBlobError(`${environment.path} cannot be read (${cause.message}); restart the process`, {
      cause,
    })
  }
}
