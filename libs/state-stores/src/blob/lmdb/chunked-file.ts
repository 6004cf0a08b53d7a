import type { FileHandle } from 'node:fs/promises'
import { chunksOf } from '../chunks.ts'
import { chunkBytes } from '../hash.ts'
import type { ByteRange, Digest, OpenBlob } from '../port.ts'
import { pieceBytes } from './read-chunks.ts'

export interface ChunkedFile {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly range: Required<ByteRange>
  readonly file: FileHandle
  /** One chunk, whole and verified, in pieces of `pieceBytes`; the same one may be asked for again. */
  readonly read: (index: number) => Promise<readonly Buffer[]>
}

/**
 * A range of a file, verified chunk by chunk. The first one is read at once, so that common damage is an error and not a
 * cut transfer. A reader who stops reading holds the piece that he has, not its chunk: that is left to the garbage
 * collector, and when it was taken, it is read and verified again. A thousand such readers are 64 MiB and not 256.
 */
export async function openChunkedFile({ digest, sizeBytes, range, file, read }: ChunkedFile): Promise<OpenBlob> {
  const { first, last } = chunksOf(range)
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= file.close())
  let beginning: readonly Buffer[] | undefined
  try {
    beginning = await read(first)
  } catch (error) {
    await close()
    throw error
  }
  async function* body(): AsyncGenerator<Buffer> {
    try {
      for (let index = first; index <= last; index++) {
        let held = new WeakRef(beginning ?? (await read(index)))
        beginning = undefined
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
  return { digest, sizeBytes, range, body, close, [Symbol.asyncDispose]: close }
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
