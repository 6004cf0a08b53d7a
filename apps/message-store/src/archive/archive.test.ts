import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { MemoryBlobStore } from '@ballast/state-stores/blob/memory'
import { temporaryFolder } from '@ballast/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { archived, entriesOf, restored } from './archive.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

async function archiveOf(store: MemoryBlobStore): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of archived(entriesOf(store), () => {})) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}

async function contentOf(store: MemoryBlobStore): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const namespace of await store.namespaces()) {
    for (const { key, digest } of (await store.scan(namespace, undefined, 10_000)).entries)
      found.set(`${namespace} ${key}`, digest)
  }
  return found
}

async function filled(): Promise<MemoryBlobStore> {
  const store = new MemoryBlobStore()
  const put = (namespace: string, key: string, bytes: Buffer) => store.put({ name: { namespace, key } }, [bytes])
  await put('cas', sha256(Buffer.from('a')), Buffer.from('a'))
  await put('messages', sha256(Buffer.alloc(0)), Buffer.alloc(0))
  await put('ac', 'é /../ü\n'.repeat(40), Buffer.alloc(512, 1))
  await put('ac', 'large', Buffer.alloc(200_000, 2))
  await put('uploads.1', '0', Buffer.from('unfinished'))
  return store
}

test.each([1, 511, 512, 100_000, 10_000_000])(
  'what is exported is imported again, in pieces of %i bytes',
  async (size) => {
    const store = await filled()
    const archive = await archiveOf(store)
    const copy = new MemoryBlobStore()
    expect(await restored(copy, inPieces(archive, size))).toEqual({ entries: 4, sizeBytes: 200_513 })
    await store.remove([{ namespace: 'uploads.1', key: '0' }])
    expect(await contentOf(copy)).toEqual(await contentOf(store))
  },
)

test('an archive that is cut off or has other bytes stores nothing wrong, and says so', async () => {
  const store = await filled()
  const archive = await archiveOf(store)
  const right = await contentOf(store)
  const place = fc.nat(archive.length - 1025)
  await fc.assert(
    fc.asyncProperty(place, fc.boolean(), async (at, cut) => {
      const bytes = Buffer.from(archive)
      bytes[at] = (bytes[at] ?? 0) ^ 1
      const copy = new MemoryBlobStore()
      const result = await restored(copy, inPieces(cut ? archive.subarray(0, at) : bytes, 70_000)).catch(
        () => 'refused',
      )
      // A flip in padding, or in a field that nobody reads, changes nothing; where it does, it is refused.
      expect(cut ? result : 'refused').toBe('refused')
      for (const [name, digest] of await contentOf(copy)) {
        expect([...right.values()]).toContain(digest)
        expect(name.startsWith('ac ') || name.endsWith(digest)).toBe(true)
      }
    }),
    { numRuns: 60 },
  )
})

test('what is damaged is left out and counted', async () => {
  const store = await filled()
  store.damage(sha256(Buffer.from('a')))
  let counted: unknown
  for await (const piece of archived(entriesOf(store), (result) => (counted = result)))
    expect(piece).toBeInstanceOf(Uint8Array)
  expect(counted).toEqual({ entries: 3, sizeBytes: 200_512, damaged: 1 })
})

test('tar reads it', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'all.tar')
  await writeFile(file, await archiveOf(await filled()))
  const { stdout } = await promisify(execFile)('tar', ['-tf', file], { maxBuffer: 1e7 })
  expect(stdout.trim().split('\n')).toEqual([
    'ac/large',
    expect.stringContaining('ac/'),
    `cas/${sha256(Buffer.from('a'))}`,
    `messages/${sha256(Buffer.alloc(0))}`,
  ])
})
