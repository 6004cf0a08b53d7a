import { randomBytes } from 'node:crypto'
import { open, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { readAll } from '../contract/harness.ts'
import { chunkBytes, ChunkHasher } from '../hash.ts'
import type { ByteRange, OpenBlob } from '../port.ts'
import { readingThread } from './chunk-worker.ts'
import { openChunkedFile } from './chunked-file.ts'
import { ChunkReads } from './read-chunks.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

interface Given {
  readonly bytes: Buffer
  readonly file: FileHandle
  readonly range?: Required<ByteRange>
  /** Awaited before a chunk is read. */
  readonly before?: (index: number) => Promise<void>
}

async function opened({
  bytes,
  file,
  range = { start: 0, end: bytes.length },
  before = async () => {},
}: Given): Promise<OpenBlob> {
  const hasher = new ChunkHasher()
  hasher.update(bytes)
  const { digest, sizeBytes, chunks } = hasher.finish()
  const reads = new ChunkReads()
  return openChunkedFile({
    digest,
    sizeBytes,
    range,
    file,
    read: async (index) => {
      await before(index)
      return reads.read({ file, content: { generation: '', chunks }, index, sizeBytes })
    },
    release: (piece) => reads.release(piece),
  })
}

async function fileOf(folder: string, bytes: Buffer): Promise<FileHandle> {
  const path = join(folder, 'blob')
  await writeFile(path, bytes)
  return open(path)
}

test('what the garbage collector takes from a slow reader is read and verified again', async () => {
  await using folder = await temporaryFolder()
  const bytes = randomBytes(600_001)
  for (const [start, end] of [
    [0, bytes.length],
    [65_535, 65_537],
    [262_143, 600_000],
    [600_000, 600_001],
  ] as const) {
    const asked: number[] = []
    const before = async (index: number): Promise<void> => void asked.push(index)
    await using blob = await opened({ bytes, file: await fileOf(folder.path, bytes), range: { start, end }, before })
    const pieces: Buffer[] = []
    for await (const piece of blob.body()) {
      expect(piece.buffer.byteLength).toBeLessThanOrEqual(64 * 1024)
      pieces.push(piece)
      // A weak reference holds until the end of the turn in which it was made or read.
      await new Promise(setImmediate)
      collectGarbage()
    }
    expect(Buffer.concat(pieces).equals(bytes.subarray(start, end))).toBe(true)
    // Once for each piece; and what was read ahead in time to be taken as well.
    expect(asked.length).toBeGreaterThanOrEqual(pieces.length)
  }
})

test('what is read ahead is verified; damage in it is told where it lies, or to nobody when the reader left before', async () => {
  await using folder = await temporaryFolder()
  const bytes = randomBytes(5 * chunkBytes)
  const damaged = Buffer.from(bytes)
  damaged[2 * chunkBytes + 7] = (damaged[2 * chunkBytes + 7] ?? 0) ^ 1
  for (const taken of [1, Infinity]) {
    await using blob = await opened({ bytes, file: await fileOf(folder.path, damaged) })
    const given: Buffer[] = []
    const reading = (async () => {
      for await (const piece of blob.body()) if (given.push(piece) >= taken) break
    })()
    const told = await reading.catch(String)
    const [expected, what] = taken === 1 ? [64 * 1024, 'undefined'] : [2 * chunkBytes, 'bytes 524288 to 786432']
    expect(String(told)).toContain(what)
    expect(Buffer.concat(given).equals(bytes.subarray(0, expected))).toBe(true)
  }
})

test('a file is closed after the last chunk that is being read from it, and nothing is read after', async () => {
  await using folder = await temporaryFolder()
  const bytes = randomBytes(3 * chunkBytes)
  const gate = Promise.withResolvers<void>()
  const file = await fileOf(folder.path, bytes)
  const blob = await opened({ bytes, file, before: (index) => (index === 2 ? gate.promise : Promise.resolve()) })
  const body = blob.body()[Symbol.asyncIterator]()
  await body.next()
  const closing = blob.close()
  await new Promise(setImmediate)
  expect(file.fd).toBeGreaterThan(0)
  gate.resolve()
  await closing
  expect(file.fd).toBe(-1)
})

test('pieces that are given back are used again; all that were not stay as they are', async () => {
  await using folder = await temporaryFolder()
  const bytes = randomBytes(8 * chunkBytes)
  await using blob = await opened({ bytes, file: await fileOf(folder.path, bytes) })
  const kept: Buffer[] = []
  const released: Buffer[] = []
  let at = 0
  for await (const piece of blob.body()) {
    expect(piece.equals(bytes.subarray(at, (at += piece.length)))).toBe(true)
    if (at % chunkBytes === 0) kept.push(piece)
    else {
      released.push(piece)
      blob.release?.(piece)
    }
  }
  for (const [index, piece] of kept.entries()) {
    expect(piece.equals(bytes.subarray((index + 1) * chunkBytes - piece.length, (index + 1) * chunkBytes))).toBe(true)
  }
  // Detached: their memory went back to the thread.
  expect(released.filter(({ length }) => length === 0).length).toBeGreaterThan(8)
})

test('a thread that ends takes what was asked of it along; the next chunk has a new one', async () => {
  await using folder = await temporaryFolder()
  const bytes = randomBytes(100_000)
  const file = await fileOf(folder.path, bytes)
  const broken = { what: 'read', fd: file.fd, start: 0, length: 1, plainBytes: Infinity, lent: [] } as const
  await expect(readingThread.do({ ...broken, lent: [] })).rejects.toThrow('the thread of the chunks ended')
  await using blob = await opened({ bytes, file })
  expect(await readAll(blob)).toEqual(bytes)
})
