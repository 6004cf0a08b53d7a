import { crc32 } from 'node:zlib'
import { damage } from './checksum.ts'
import type { Holding } from './claim-order.ts'

/** Sequence numbers start at 1 and order the entries; everything is written in the append or settle step itself. */
export interface StreamState {
  readonly version: 1
  lastSequence: number
  /** Entries up to here have been handed out at least once. */
  lastClaimed: number
  entries: number
  documents: number
  bytes: number
  deadLetters: number
  appendedDocuments: number
  settledDocuments: number
  settledBytes: number
}

const emptyState: StreamState = {
  version: 1,
  lastSequence: 0,
  lastClaimed: 0,
  entries: 0,
  documents: 0,
  bytes: 0,
  deadLetters: 0,
  appendedDocuments: 0,
  settledDocuments: 0,
  settledBytes: 0,
}

/** Keys order as numbers. */
export function sequenceKey(sequence: number): Buffer {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(BigInt(sequence))
  return key
}

export const sequenceOf = (key: Buffer): number => Number(key.readBigUInt64BE())

/** The last eight bytes of an ObjectId, writer and counter, as an index key: they order the ids of one writer. */
export const writerKey = (id: string): Buffer => Buffer.from(id.slice(8), 'hex')

/**
 * An entry on disk: version (1 byte), flags (1: has a first id), documents (u32), appended at (f64, unix ms),
 * first id (12 bytes, zeros without; up to here the same in every version), CRC-32 of the body (u32, from version 2 on), body. Big endian.
 */
const version = 2
const headerBytes: Readonly<Record<number, number>> = { 1: 26, 2: 30 }
export const frameHeaderBytes = 30

/** Whether a newer release wrote the frame: left to its consumers. */
export const isLater = (frame: Buffer): boolean => (frame[0] ?? 0) > version

export const laterFormat = (frame: Buffer): string =>
  `a stream entry of format ${frame[0]}; this release reads formats 1 to ${version}`

export interface Frame {
  readonly documents: number
  readonly appendedAtMs: number
  readonly firstId: string | undefined
  readonly body: Buffer
}

export function encodeFrame({
  documents,
  appendedAtMs,
  firstId,
  body,
}: Omit<Frame, 'body'> & { readonly body: Uint8Array }): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderBytes + body.byteLength)
  frame[0] = version
  frame[1] = firstId === undefined ? 0 : 1
  frame.writeUInt32BE(documents, 2)
  frame.writeDoubleBE(appendedAtMs, 6)
  frame.fill(0, 14, 26)
  if (firstId !== undefined) frame.write(firstId, 14, 'hex')
  frame.writeUInt32BE(crc32(body), 26)
  frame.set(body, frameHeaderBytes)
  return frame
}

/** Of a frame in any format. */
export const appendedAt = (frame: Buffer): number => frame.readDoubleBE(6)

export function decodeFrame(frame: Buffer): Frame {
  const start = headerBytes[frame[0] ?? 0] ?? Infinity
  if (frame.length < start) {
    throw new Error(
      `a stream entry of format ${frame[0]} with ${frame.length} bytes; this release reads formats 1 to ${version}`,
    )
  }
  const body = frame.subarray(start)
  return {
    documents: frame.readUInt32BE(2),
    appendedAtMs: appendedAt(frame),
    firstId: frame[1] === 1 ? frame.toString('hex', 14, 26) : undefined,
    body,
  }
}

/** Why the body of a frame is not what was appended. Not asked on every read: it reads the whole body. */
export function frameDamage(frame: Buffer): string | undefined {
  return frame[0] === 1 ? undefined : damage(frame.subarray(frameHeaderBytes), frame.toString('hex', 26, 30))
}

export const encodeHolding = (holding: Holding): Buffer => Buffer.from(JSON.stringify(holding))

export function decodeHolding(stored: Buffer | undefined): Holding | undefined {
  return stored === undefined ? undefined : JSON.parse(stored.toString())
}

export const encodeState = (state: StreamState): Buffer => Buffer.from(JSON.stringify(state))

export function decodeState(stored: Buffer | undefined): StreamState {
  return stored === undefined ? { ...emptyState } : JSON.parse(stored.toString())
}

export function encodeTime(ms: number): Buffer {
  const value = Buffer.alloc(8)
  value.writeDoubleBE(ms)
  return value
}
