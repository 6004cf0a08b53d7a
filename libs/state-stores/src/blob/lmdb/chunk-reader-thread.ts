import { createHash } from 'node:crypto'
import { readvSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { ChunkMismatchError } from '../chunks.ts'
import { messageOf } from '../../message-of.ts'
import { unpackedChunk } from './compression.ts'
import { pieceBytes, piecesIn } from './pieces.ts'

export interface ChunkRequest {
  readonly fd: number
  readonly start: number
  /** At rest; other than `plainBytes` where it is compressed. */
  readonly length: number
  readonly plainBytes: number
  /** Pieces to use again, as many as are needed or fewer. */
  readonly spare: ArrayBuffer[]
}

/** The chunk, which nobody has compared with anything yet, and its SHA-256; or what is wrong with the file or the disk. */
export type ChunkAnswer =
  | { readonly pieces: ArrayBuffer[]; readonly sha256: Uint8Array }
  | { readonly damage: string }
  | { readonly failure: string }

parentPort?.on('message', (request: ChunkRequest) => {
  const answer = answerTo(request)
  parentPort?.postMessage(answer, 'pieces' in answer ? answer.pieces : [])
})

function answerTo({ fd, start, length, plainBytes, spare }: ChunkRequest): ChunkAnswer {
  const chunk = piecesIn(plainBytes).map((size) => new Uint8Array(spare.pop() ?? new ArrayBuffer(pieceBytes), 0, size))
  try {
    if (length === plainBytes) fill(chunk, fd, start)
    else unpack(chunk, fd, start, length, plainBytes)
  } catch (error) {
    return error instanceof ChunkMismatchError ? { damage: error.message } : { failure: messageOf(error) }
  }
  const hash = createHash('sha256')
  for (const piece of chunk) hash.update(piece)
  return { pieces: chunk.map(({ buffer }) => buffer), sha256: hash.digest() }
}

function fill(pieces: readonly Uint8Array[], fd: number, start: number): void {
  let at = start
  for (let rest = pieces; rest.length > 0;) {
    const read = readvSync(fd, rest, at)
    if (read === 0) throw new ChunkMismatchError(`bytes ${at} and on are missing`)
    at += read
    rest = behind(rest, read)
  }
}

/** What is left of them after so many bytes. */
function behind(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let skipped = 0
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.max(0, bytes - skipped))
    skipped += piece.length
    return rest.length > 0 ? [rest] : []
  })
}

function unpack(pieces: readonly Uint8Array[], fd: number, start: number, length: number, plainBytes: number): void {
  const packed = Buffer.allocUnsafeSlow(length)
  fill([packed], fd, start)
  const chunk = unpackedChunk(packed, plainBytes)
  for (const [at, piece] of pieces.entries()) piece.set(chunk.subarray(at * pieceBytes, (at + 1) * pieceBytes))
}
