import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { bytesOf, name, readAll } from '../contract/harness.ts'
import { chunkBytes, ChunkHasher, sha256 } from '../hash.ts'
import { lmdbBlobStore } from '../lmdb.ts'
import { BlobFiles } from './files.ts'
import { ChunkWriter } from './write-chunks.ts'

test('what arrives is copied at once: whoever brings it may overwrite it then', async () => {
  await using folder = await temporaryFolder()
  const files = await BlobFiles.open(folder.path)
  const bytes = bytesOf(1, 5 * chunkBytes + 7)
  const incoming = await files.receive()
  const writer = new ChunkWriter(incoming, false)
  for (let start = 0; start < bytes.length; start += 100_000) {
    const piece = Buffer.from(bytes.subarray(start, start + 100_000))
    await writer.push(piece)
    piece.fill(0)
  }
  const written = await writer.finish()
  const hasher = new ChunkHasher()
  hasher.update(bytes)
  expect(written).toEqual({ ...hasher.finish(), lengths: undefined })
  await incoming.publish(sha256(bytes))
  await incoming.discard()
  for await (const path of glob('files/*/*', { cwd: folder.path })) {
    expect((await readFile(join(folder.path, path))).equals(bytes)).toBe(true)
  }
  await files.close()
})

test('a file that is discarded is closed after the last chunk that is being written to it', async () => {
  await using folder = await temporaryFolder()
  const files = await BlobFiles.open(folder.path)
  const incoming = await files.receive()
  const writing = Array.from({ length: 50 }, () => incoming.write(new ArrayBuffer(chunkBytes), chunkBytes, false))
  await incoming.discard()
  const lengths = (await Promise.all(writing)).map(({ length }) => length)
  expect(lengths).toEqual(Array.from({ length: 50 }, () => chunkBytes))
  await files.close()
})

test.each(['none', 'zstd'] as const)('a piece is given back when there is a copy of it (%s)', async (compression) => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path, compression })
  const bytes = bytesOf(2, 3 * chunkBytes + 7)
  let givenBack = 0
  const outcome = await store.put(
    { name: name('k'), digest: sha256(bytes) },
    {
      async *[Symbol.asyncIterator]() {
        for (let start = 0; start < bytes.length; start += 50_000)
          yield Buffer.from(bytes.subarray(start, start + 50_000))
      },
      release(piece) {
        givenBack += piece.length
        piece.fill(0)
      },
    },
  )
  expect([outcome.outcome, givenBack]).toEqual(['created', bytes.length])
  expect((await readAll(await store.open(name('k'))))?.equals(bytes)).toBe(true)
})
