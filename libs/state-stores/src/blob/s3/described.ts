import { randomBytes } from 'node:crypto'
import { chunkBytes, type Hashes } from '../hash.ts'
import { isDigest } from '../name.ts'
import type { BlobStat } from '../port.ts'
import type { Metadata, ObjectInfo } from './bucket.ts'

/**
 * What an object of ours says about itself. Up to 8 MiB it is one request, and its user metadata (S3 allows 2 KB) holds
 * digest, size and the hashes of its at most 32 chunks. What comes in parts has to name its metadata before its bytes
 * are known: it only names its generation, and an object of that name, written before the parts become visible, holds
 * the rest.
 */
export interface Described {
  readonly generation: string
  /** Undefined: in the object of `hashesKey`. */
  readonly hashes: Hashes | undefined
}

export const newGeneration = (): string => randomBytes(16).toString('hex')

const format = '1'

export function describeWhole(generation: string, { digest, sizeBytes, chunks }: Hashes): Metadata {
  // The hash of a single chunk is the digest.
  const several = sizeBytes > chunkBytes ? { chunks: chunks.toString('base64') } : {}
  return { format, generation, digest, size: String(sizeBytes), ...several }
}

export const describeParts = (generation: string): Metadata => ({ format, generation })

/** Throws for what is not ours, or of a later release. */
export function described({ metadata }: ObjectInfo, key: string): Described {
  const { format: version, generation, digest, size, chunks: listed } = metadata
  if (version !== format || generation === undefined) {
    throw new Error(`the object ${key} has no description that this release understands: is it of something else?`)
  }
  if (digest === undefined || !isDigest(digest)) return { generation, hashes: undefined }
  const sizeBytes = Number(size)
  const chunks = Buffer.from(listed ?? digest, listed === undefined ? 'hex' : 'base64')
  return { generation, hashes: { digest, sizeBytes, chunks } }
}

export function encodeHashes({ digest, sizeBytes, chunks }: Hashes): Buffer {
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(BigInt(sizeBytes))
  return Buffer.concat([Buffer.from(digest, 'hex'), size, chunks])
}

export function decodeHashes(bytes: Buffer): Hashes {
  const stat: BlobStat = { digest: bytes.toString('hex', 0, 32), sizeBytes: Number(bytes.readBigUInt64BE(32)) }
  return { ...stat, chunks: bytes.subarray(40) }
}
