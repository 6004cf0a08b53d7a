import { join } from 'node:path'
import { LmdbRemains } from '../../lmdb-remains.ts'
import { inMemoryBlob } from '../in-memory-blob.ts'
import { chunkBytes, sha256 } from '../hash.ts'
import { assertName, isDigest } from '../name.ts'
import type { Digest, EntryName, OpenBlob } from '../port.ts'
import type { Salvaged } from '../salvage.ts'
import { openChunkedFile } from './chunked-file.ts'
import { BlobFiles } from './files.ts'
import { ChunkReads } from './read-chunks.ts'
import { decodeEntry, decodeRecord, entryKey, homeEntry, inlineBytes, keyOf, nameOf } from './records.ts'

/**
 * What can still be read of a store whose data file is damaged, beside which none may be running. Small blobs are verified
 * here, large ones from end to end before they are given out, and chunk by chunk again. Where pages are lost, those that
 * nothing leads to any more are searched as well: what they hold may have been removed or replaced before.
 * `lostPages` says, once all was read, how many pages are lost; names that were in them are not known.
 * Memory: one short string per entry.
 */
export async function* salvaged(path: string, report: (lostPages: number) => void): AsyncGenerator<Salvaged> {
  await using remains = await LmdbRemains.open(join(path, 'data.mdb'))
  const files = BlobFiles.readOnly(path, new Error('what is salvaged is not written'))
  const reads = new ChunkReads()
  const release = (piece: Buffer): void => reads.release(piece)
  const given = new Set<string>()
  for await (const { key, value } of remains.rows('entries')) {
    const id = key.toString('base64')
    // A page that is damaged in its order is found by a walk, and missed by a look-up.
    if (given.has(id)) continue
    given.add(id)
    const name = nameOf(key)
    const digest = attempt(() => decodeEntry(keyOf(key), value))
    const record = digest === undefined ? undefined : await remains.get('blobs', Buffer.from(digest, 'hex'))
    yield { name, blob: digest === undefined ? undefined : await opened(digest, record) }
  }
  for await (const { key, value } of remains.rows('blobs')) {
    const digest = key.toString('hex')
    if (!isDigest(digest) || attempt(() => decodeRecord(value))?.home !== true) continue
    const id = entryKey(homeEntry(digest)).toString('base64')
    if (given.has(id)) continue
    given.add(id)
    yield { name: homeEntry(digest), blob: await opened(digest, value) }
  }
  if (remains.lostPages > 0) yield* strays()
  report(remains.lostPages)

  /** Only what is whole: the others may be of any table, or of another time. */
  async function* strays(): AsyncGenerator<Salvaged> {
    const records = new Map<string, Buffer>()
    const names: { readonly name: EntryName; readonly digest: Digest }[] = []
    for await (const { key, value } of remains.strays()) {
      const digest = key.toString('hex')
      const record = isDigest(digest) ? attempt(() => decodeRecord(value)) : undefined
      if (record === undefined) {
        const entry = attempt(() => entryOf(key, value))
        if (entry !== undefined && !given.has(key.toString('base64'))) names.push(entry)
        continue
      }
      if (!records.has(digest)) records.set(digest, value)
      const home = entryKey(homeEntry(digest)).toString('base64')
      const blob = record.home && !given.has(home) ? await opened(digest, value) : undefined
      if (blob === undefined) continue
      given.add(home)
      yield { name: homeEntry(digest), blob }
    }
    for (const { name, digest } of names) {
      const id = entryKey(name).toString('base64')
      const record = given.has(id)
        ? undefined
        : ((await remains.get('blobs', Buffer.from(digest, 'hex'))) ?? records.get(digest))
      const blob = await opened(digest, record)
      if (blob === undefined) continue
      given.add(id)
      yield { name, blob }
    }
  }

  async function opened(digest: Digest, value: Buffer | undefined): Promise<OpenBlob | undefined> {
    const record = value === undefined ? undefined : attempt(() => decodeRecord(value))
    if (record === undefined || record.damaged) return undefined
    const { content, sizeBytes } = record
    const range = { start: 0, end: sizeBytes }
    if ('bytes' in content) {
      const bytes = attempt(() => inlineBytes(content, sizeBytes))
      return bytes !== undefined && sha256(bytes) === digest ? inMemoryBlob(digest, bytes, range) : undefined
    }
    const file = await files.read({ digest, generation: content.generation })
    if (file === undefined) return undefined
    const read = (index: number) => reads.read({ file, content, index, sizeBytes })
    try {
      for (let index = 0; index * chunkBytes < sizeBytes; index++) await read(index)
      return await openChunkedFile({ digest, sizeBytes, range, file, read, release })
    } catch {
      await file.close()
      return undefined
    }
  }
}

/** Throws where it is no row of the table of entries. */
function entryOf(key: Buffer, value: Buffer): { readonly name: EntryName; readonly digest: Digest } {
  const name = nameOf(key)
  assertName(name)
  const digest = decodeEntry(name.key, value)
  if (!isDigest(digest) || !entryKey(name).equals(key)) throw new RangeError('no entry')
  return { name, digest }
}

/** What a damaged row says may be anything. */
function attempt<Result>(parse: () => Result): Result | undefined {
  try {
    return parse()
  } catch {
    return undefined
  }
}
