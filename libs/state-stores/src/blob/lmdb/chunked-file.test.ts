import { randomBytes } from 'node:crypto'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { ChunkHasher } from '../hash.ts'
import { openChunkedFile } from './chunked-file.ts'
import { ChunkReads } from './read-chunks.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

test('what the garbage collector takes from a slow reader is read and verified again', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'blob')
  const bytes = randomBytes(600_001)
  await writeFile(path, bytes)
  const hasher = new ChunkHasher()
  hasher.update(bytes)
  const { digest, sizeBytes, chunks } = hasher.finish()
  const reads = new ChunkReads()
  for (const [start, end] of [
    [0, sizeBytes],
    [65_535, 65_537],
    [262_143, 600_000],
    [600_000, 600_001],
  ] as const) {
    const file = await open(path)
    const asked: number[] = []
    const read = (index: number): Promise<readonly Buffer[]> => {
      asked.push(index)
      return reads.read({ file, content: { generation: '', chunks }, index, sizeBytes })
    }
    await using blob = await openChunkedFile({ digest, sizeBytes, range: { start, end }, file, read })
    const pieces: Buffer[] = []
    for await (const piece of blob.body()) {
      expect(piece.buffer.byteLength).toBeLessThanOrEqual(64 * 1024)
      pieces.push(piece)
      // A weak reference holds until the end of the turn in which it was made or read.
      await new Promise(setImmediate)
      collectGarbage()
    }
    expect(Buffer.concat(pieces).equals(bytes.subarray(start, end))).toBe(true)
    expect(asked.length).toBe(pieces.length)
  }
})
