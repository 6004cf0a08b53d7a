import { DamagedBlobError, type BlobStore, type Salvaged } from '@ballast/state-stores/blob'
import { Pieces } from '../uploads/pieces.ts'
import { blockBytes, endOfArchive, headersOf, paddingOf, parseHeader, parseRecords, type TarEntry } from './tar.ts'

export interface Archived {
  readonly entries: number
  readonly sizeBytes: number
  /** Entries whose bytes are damaged: they are left out. */
  readonly damaged: number
}

/**
 * A tar archive of all these entries, piece by piece; `report` is called at the end. What is written or removed
 * meanwhile may be in it or not. Unfinished uploads are left out. Every byte is verified as it is read; a blob whose damage shows only
 * in the middle ends the archive with an error, for what was given out cannot be taken back.
 */
export async function* archived(
  all: AsyncIterable<Salvaged>,
  report: (result: Archived) => void,
): AsyncGenerator<Uint8Array> {
  let [entries, sizeBytes, damaged] = [0, 0, 0]
  for await (const { name, blob } of all) {
    if (name.namespace === 'uploads' || name.namespace.startsWith('uploads.')) {
      await blob?.close()
      continue
    }
    if (blob === undefined) {
      damaged++
      continue
    }
    await using open = blob
    yield headersOf({ name, digest: open.digest, sizeBytes: open.sizeBytes })
    yield* open.body()
    yield paddingOf(open.sizeBytes)
    entries++
    sizeBytes += open.sizeBytes
  }
  yield endOfArchive
  report({ entries, sizeBytes, damaged })
}

/** Every entry of a store; without bytes where those are damaged. */
export async function* entriesOf(store: BlobStore): AsyncGenerator<Salvaged> {
  const namespaces = await store.namespaces()
  if (namespaces === undefined) throw new Error(`this store cannot be exported: ${store.capabilities.lacks.namespaces}`)
  for (const namespace of namespaces) {
    for (let after: string | undefined; ;) {
      const page = await store.scan(namespace, after, 1_000)
      for (const { key } of page.entries) {
        const name = { namespace, key }
        try {
          const blob = await store.open(name)
          // Removed meanwhile.
          if (blob !== undefined) yield { name, blob }
        } catch (error) {
          if (!(error instanceof DamagedBlobError)) throw error
          yield { name, blob: undefined }
        }
      }
      if (page.next === undefined) break
      after = page.next
    }
  }
}

/** Many small entries share a commit; more are not read ahead than this. */
const batchEntries = 1_000
const batchBytes = 8 * 2 ** 20

/**
 * Puts every entry of an archive into a store, verified by the digest that the archive names; what is there under the
 * same name is replaced. Rejects at the first entry that is wrong or has no room; those before it are stored.
 */
export async function restored(
  store: BlobStore,
  source: AsyncIterable<Uint8Array>,
): Promise<Omit<Archived, 'damaged'>> {
  const pieces = new Pieces(source)
  let [entries, sizeBytes] = [0, 0]
  let batch: { readonly entry: TarEntry; readonly bytes: Buffer }[] = []
  let pendingBytes = 0
  const flush = async (): Promise<void> => {
    const outcomes = await store.putSmall(batch.map(({ entry: { name, digest }, bytes }) => ({ name, digest, bytes })))
    for (const [index, outcome] of outcomes.entries()) assertStored(outcome.outcome, batch[index]?.entry)
    batch = []
    pendingBytes = 0
  }
  for (let next: TarEntry | undefined; ;) {
    const header = parseHeader(await exactly(pieces, blockBytes))
    if (header === undefined) break
    if (header.type === 'x') {
      next = parseRecords(await exactly(pieces, header.sizeBytes))
      await exactly(pieces, paddingOf(header.sizeBytes).length)
      continue
    }
    const entry: TarEntry | undefined = next
    next = undefined
    if (header.type !== '0' || entry === undefined) throw new Error('the archive has a file that no export has written')
    assertNamed(entry)
    if (entry.sizeBytes <= store.inlineBytes) {
      batch.push({ entry, bytes: await exactly(pieces, entry.sizeBytes) })
      pendingBytes += entry.sizeBytes
      if (batch.length >= batchEntries || pendingBytes >= batchBytes) await flush()
    } else {
      const { outcome } = await store.put({ name: entry.name, digest: entry.digest }, pieces.take(entry.sizeBytes))
      assertStored(outcome, entry)
    }
    await exactly(pieces, paddingOf(entry.sizeBytes).length)
    entries++
    sizeBytes += entry.sizeBytes
  }
  await flush()
  return { entries, sizeBytes }
}

/** Where the key says what the bytes are, an archive that says otherwise is damaged in its names. */
function assertNamed({ name: { namespace, key }, digest }: TarEntry): void {
  const byContent = /^(messages|cas|lfs\..*|bazel\..*\.cas|oci\.(blobs|manifests)\..*)$/.test(namespace)
  if (byContent && key !== digest)
    throw new Error(`${namespace}/${key} has the digest ${digest} in the archive: it is damaged`)
}

async function exactly(pieces: Pieces, sizeBytes: number): Promise<Buffer> {
  const found: Uint8Array[] = []
  for await (const piece of pieces.take(sizeBytes)) found.push(piece)
  const bytes = Buffer.concat(found)
  if (bytes.length < sizeBytes) throw new Error('the archive ends before its end: it was cut off')
  return bytes
}

function assertStored(outcome: string, entry: TarEntry | undefined): void {
  if (['created', 'exists', 'replaced'].includes(outcome)) return
  const what = outcome === 'mismatch' ? 'its bytes in the archive are not those of its digest, or are cut off' : outcome
  throw new Error(`${entry?.name.namespace}/${entry?.name.key} is not stored: ${what}`)
}
