import { randomBytes } from 'node:crypto'
import type { BlobStat, Digest } from '../port.ts'

/** What an entry says about its bytes, apart from them. */
export interface Head extends BlobStat {
  /** Random, one per put that brought bytes. */
  readonly generation: Buffer
  /** The bytes are in `blob_chunks`, and the body holds their hashes; otherwise the body holds the bytes. */
  readonly chunked: boolean
}

const generationBytes = 16
const headBytes = generationBytes + 2 + 8 + 32
const format = 1

export const newGeneration = (): Buffer => randomBytes(generationBytes)

/**
 * Head and body both begin with the generation. Of two writes with the same timestamp Cassandra keeps, cell by cell,
 * the greater value: so both cells are taken from the same write, and never one of each.
 */
export function encodeHead({ generation, chunked, sizeBytes, digest }: Head): Buffer {
  const rest = Buffer.alloc(headBytes - generationBytes)
  rest.writeUInt8(format, 0)
  rest.writeUInt8(chunked ? 1 : 0, 1)
  rest.writeBigUInt64BE(BigInt(sizeBytes), 2)
  rest.write(digest, 10, 'hex')
  return Buffer.concat([generation, rest])
}

export function decodeHead(bytes: Buffer): Head {
  const rest = bytes.subarray(generationBytes)
  if (bytes.length !== headBytes || rest.readUInt8(0) !== format) {
    throw new Error('an entry is damaged, or was written by a later release')
  }
  const digest: Digest = rest.toString('hex', 10)
  return {
    generation: bytes.subarray(0, generationBytes),
    chunked: rest.readUInt8(1) === 1,
    sizeBytes: Number(rest.readBigUInt64BE(2)),
    digest,
  }
}

export const encodeBody = (generation: Buffer, bytes: Uint8Array): Buffer => Buffer.concat([generation, bytes])

/** Undefined when it is not the body of that generation. */
export function decodeBody(body: unknown, generation: Buffer): Buffer | undefined {
  if (!Buffer.isBuffer(body) || !body.subarray(0, generationBytes).equals(generation)) return undefined
  return body.subarray(generationBytes)
}
