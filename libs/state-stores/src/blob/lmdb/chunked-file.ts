import type { FileHandle } from 'node:fs/promises'
import { chunksOf } from '../chunks.ts'
import { chunkBytes } from '../hash.ts'
import type { ByteRange, Digest, OpenBlob } from '../port.ts'
import { pieceBytes } from './pieces.ts'

/** Chunks that are read and verified while the reader takes the one before; the second keeps the thread busy. */
const readAhead = 2

type Chunk = readonly Buffer[]

export interface ChunkedFile {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly range: Required<ByteRange>
  readonly file: FileHandle
  /** One chunk, whole and verified, in pieces of `pieceBytes`; the same one may be asked for again. */
  readonly read: (index: number) => Promise<Chunk>
  /** See `OpenBlob`. */
  readonly release: (piece: Buffer) => void
}

/**
 * A range of a file, verified chunk by chunk. The first one is read at once, so that common damage is an error and not a
 * cut transfer. A reader who stops reading holds the piece that he has, not its chunk, nor those ahead: they are left to
 * the garbage collector, and what was taken is read and verified again. A thousand such readers are 64 MiB and not 768.
 */
export async function openChunkedFile(chunked: ChunkedFile): Promise<OpenBlob> {
  const { digest, sizeBytes, range, file, release } = chunked
  const { first, last } = chunksOf(range)
  const reading = new Set<Promise<Chunk>>()
  let closed: Promise<void> | undefined
  // Another file could get the descriptor while a chunk is read from it.
  const close = (): Promise<void> => (closed ??= Promise.allSettled(reading).then(() => file.close()))
  const read = async (index: number): Promise<Chunk> => {
    if (closed !== undefined) throw new Error('it is closed')
    const chunk = chunked.read(index)
    reading.add(chunk)
    try {
      return await chunk
    } finally {
      reading.delete(chunk)
    }
  }
  const weakly = async (index: number): Promise<WeakRef<Chunk>> => new WeakRef(await read(index))

  let beginning: Chunk | undefined
  try {
    beginning = await read(first)
  } catch (error) {
    await close()
    throw error
  }
  async function* body(): AsyncGenerator<Buffer> {
    const ahead: Promise<WeakRef<Chunk>>[] = []
    try {
      for (let index = first; index <= last; index++) {
        let held = beginning === undefined ? await (ahead.shift() ?? weakly(index)) : new WeakRef(beginning)
        beginning = undefined
        for (let next = index + 1 + ahead.length; next <= Math.min(last, index + readAhead); next++) {
          const chunk = weakly(next)
          // Told to the reader when he comes there, if he does.
          chunk.catch(() => {})
          ahead.push(chunk)
        }
        for (const { piece, start, end } of piecesOf(index, range)) {
          let pieces = held.deref()
          if (pieces === undefined) held = new WeakRef((pieces = await read(index)))
          const bytes = pieces[piece]?.subarray(start, end)
          pieces = undefined
          if (bytes !== undefined) yield bytes
        }
      }
    } finally {
      await close()
    }
  }
  return { digest, sizeBytes, range, body, release, close, [Symbol.asyncDispose]: close }
}

/** What each piece of a chunk contributes to a range. */
function* piecesOf(
  index: number,
  range: Required<ByteRange>,
): Generator<{ piece: number; start: number; end: number }> {
  for (let piece = 0; piece * pieceBytes < chunkBytes; piece++) {
    const offset = index * chunkBytes + piece * pieceBytes
    const [start, end] = [Math.max(0, range.start - offset), Math.min(pieceBytes, range.end - offset)]
    if (start < end) yield { piece, start, end }
  }
}
