import { openLmdb } from '../lmdb-environment.ts'
import { diskTroubleOf } from './disk-trouble.ts'
import { BlobFiles } from './lmdb/files.ts'
import { LmdbBlobStore } from './lmdb/store.ts'
import { UntilWritable } from './lmdb/until-writable.ts'
import type { BlobOptions, BlobStore } from './port.ts'

export interface LmdbBlobOptions extends BlobOptions {
  /** A folder on a local disk; any number of processes may share it. */
  readonly path: string
  /** See `LmdbOptions.mapSizeBytes`. */
  readonly mapSizeBytes?: number
  /** How often a disk that takes no writes is tried again. Default: 2 s. */
  readonly retryEveryMs?: number
}

/**
 * Blobs of at most 64 KiB live in LMDB, with their record; larger ones are a file each, because beyond that LMDB gains
 * nothing and copies whole values through memory. An acknowledged put costs one fdatasync and one synchronous page for
 * the whole batch; a large one also an fsync of its file and of the folder.
 *
 * On a disk that is full or read-only what is there is read; writes fail with what is wrong, until it can be written.
 */
export async function lmdbBlobStore(options: LmdbBlobOptions): Promise<BlobStore> {
  const opening = {
    path: options.path,
    retryEveryMs: options.retryEveryMs ?? 2_000,
    open: () => openToWrite(options),
    openReadOnly: (why: Error) => openToRead(options, why),
  }
  try {
    return await opening.open()
  } catch (error) {
    if (!(error instanceof Error) || diskTroubleOf(error) === undefined) throw error
    // Where nothing can be read either, what matters is why there was nothing made.
    const store = await opening.openReadOnly(error).catch(() => undefined)
    if (store === undefined) throw error
    return new UntilWritable(store, opening)
  }
}

async function openToWrite({ path, mapSizeBytes, ...options }: LmdbBlobOptions): Promise<LmdbBlobStore> {
  const environment = await openLmdb({ path, ...(mapSizeBytes === undefined ? {} : { mapSizeBytes }) })
  try {
    const store = new LmdbBlobStore(environment, await BlobFiles.open(path), options)
    await store.sweep()
    await store.adopt()
    return store
  } catch (cause) {
    await environment.close()
    if (!(cause instanceof Error) || cause.message.includes(path)) throw cause
    throw new Error(`${path} cannot be opened: ${cause.message}; is the disk full or failing?`, { cause })
  }
}

async function openToRead({ path, ...options }: LmdbBlobOptions, why: Error): Promise<LmdbBlobStore> {
  const environment = await openLmdb({ path, readOnlyBecause: why })
  try {
    return new LmdbBlobStore(environment, BlobFiles.readOnly(path, why), options)
  } catch (error) {
    await environment.close()
    throw error
  }
}
