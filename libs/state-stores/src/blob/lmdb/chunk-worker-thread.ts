import { createHash, hash } from 'node:crypto'
import { readvSync, writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { ChunkMismatchError } from '../chunks.ts'
import { packedChunk, unpackedChunk } from './compression.ts'
import { pieceBytes, piecesIn } from './pieces.ts'

export interface ReadRequest {
  readonly what: 'read'
  readonly fd: number
  readonly start: number
  /** At rest; other than `plainBytes` where it is compressed. */
  readonly length: number
  readonly plainBytes: number
  /** Pieces to use again, as many as are needed or fewer. */
  readonly lent: ArrayBuffer[]
}

export interface WriteRequest {
  readonly what: 'write'
  /** It is written behind what was written before. */
  readonly fd: number
  readonly plainBytes: number
  readonly compress: boolean
  /** The chunk, which comes back. */
  readonly lent: ArrayBuffer[]
}

export type ChunkRequest = ReadRequest | WriteRequest

/**
 * Of a read the pieces, which nobody has compared with anything yet; of a write the memory that was lent. `sha256` is that
 * of the chunk, `length` what it takes at rest.
 */
export interface ChunkDone {
  readonly buffers: ArrayBuffer[]
  readonly sha256: Uint8Array
  readonly length: number
}

/** `damage`: it is not in the file as it should be. `failure`: the disk says no, with its code. */
export type ChunkAnswer = ChunkDone | { readonly damage: string } | { readonly failure: string; readonly code: string }

parentPort?.on('message', (request: ChunkRequest) => {
  const answer = answerTo(request)
  parentPort?.postMessage(answer, 'buffers' in answer ? answer.buffers : [])
})

function answerTo(request: ChunkRequest): ChunkAnswer {
  try {
    return request.what === 'read' ? read(request) : write(request)
  } catch (error) {
    if (error instanceof ChunkMismatchError) return { damage: error.message }
    if (error instanceof Error && 'code' in error) return { failure: error.message, code: String(error.code) }
    throw error
  }
}

function read({ fd, start, length, plainBytes, lent }: ReadRequest): ChunkDone {
  const chunk = piecesIn(plainBytes).map((size) => new Uint8Array(lent.pop() ?? new ArrayBuffer(pieceBytes), 0, size))
  if (length === plainBytes) fill(chunk, fd, start)
  else {
    const packed = Buffer.allocUnsafeSlow(length)
    fill([packed], fd, start)
    const unpacked = unpackedChunk(packed, plainBytes)
    for (const [at, piece] of chunk.entries()) piece.set(unpacked.subarray(at * pieceBytes, (at + 1) * pieceBytes))
  }
  const sha256 = createHash('sha256')
  for (const piece of chunk) sha256.update(piece)
  return { buffers: chunk.map(({ buffer }) => buffer), sha256: sha256.digest(), length }
}

function fill(pieces: readonly Uint8Array[], fd: number, start: number): void {
  let at = start
  for (let rest = pieces; rest.length > 0;) {
    const bytes = readvSync(fd, rest, at)
    if (bytes === 0) throw new ChunkMismatchError(`bytes ${at} and on are missing`)
    at += bytes
    rest = behind(rest, bytes)
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

function write({ fd, plainBytes, compress, lent }: WriteRequest): ChunkDone {
  const [buffer = new ArrayBuffer()] = lent
  const chunk = Buffer.from(buffer, 0, plainBytes)
  const kept = compress ? packedChunk(chunk) : chunk
  for (let written = 0; written < kept.length;) {
    // Linux caches a write in one piece of memory where it can; whole chunks of it are rare, and took twice the time.
    written += writeSync(fd, kept, written, Math.min(pieceBytes, kept.length - written))
  }
  return { buffers: lent, sha256: hash('sha256', chunk, 'buffer'), length: kept.length }
}
