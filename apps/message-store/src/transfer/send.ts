import { pipeline, Readable } from 'node:stream'
import { createZstdCompress } from 'node:zlib'
import { DamagedBlobError, type BlobStat, type EntryName, type OpenBlob } from '@ballast/state-stores/blob'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Family } from '../metrics.ts'
import { problems } from '../problems.ts'
import { refusal } from '../refusals.ts'
import { matches } from './etag.ts'
import { openForReply } from './open-for-reply.ts'
import { rangeOf, type Bounds } from './range.ts'
import type { Receiver } from './receive.ts'
import type { ResponseTurns } from './response-turns.ts'
import { VerifiedBody } from './verified-body.ts'

export interface Sender extends Receiver {
  readonly turns: ResponseTurns
}

export interface Sending {
  readonly family: Family
  readonly cacheControl: string
  /** Default: application/octet-stream. */
  readonly contentType?: string
  /** Whoever says `Accept-Encoding: zstd` gets that. */
  readonly compress?: boolean
  /** Damaged bytes are a miss, for a cache whose clients then bring them again. Asked by HEAD they always are one. */
  readonly damagedIsMissing?: boolean
}

/** Below this a zstd frame is no gain. */
const compressedBytes = 1_024

/** What keeps a browser from taking stored bytes for something to run. */
export function sealed(reply: FastifyReply): FastifyReply {
  return reply
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', "default-src 'none'; sandbox")
}

/**
 * Answers GET and HEAD with the bytes of a name: ranges, conditions, each chunk verified before it leaves. Undefined
 * when there are none; what answers that is up to the caller. A damaged chunk after the first cuts the connection.
 */
export async function send(
  { blobs, metrics, turns }: Sender,
  name: EntryName,
  request: FastifyRequest,
  reply: FastifyReply,
  sending: Sending,
): Promise<FastifyReply | undefined> {
  const { family, cacheControl, contentType = 'application/octet-stream' } = sending
  const { headers, method } = request
  try {
    const opening = (): Promise<Opened | undefined> =>
      openRange(name, request, blobs.open.bind(blobs), blobs.stat.bind(blobs))
    const opened = await openForReply(turns, request, reply, opening)
    if (opened === 'gone') return reply.hijack()
    if (opened === undefined) {
      metrics.got('miss', 0, family)
      return undefined
    }
    const { blob, range } = opened
    const { digest, sizeBytes } = blob
    const zstd = sending.compress === true && range === undefined && sizeBytes >= compressedBytes
    const encoded = zstd && acceptsZstd(headers['accept-encoding'])
    const etag = encoded ? `"${digest}-zstd"` : `"${digest}"`
    void sealed(reply).header('etag', etag).header('cache-control', cacheControl).header('accept-ranges', 'bytes')
    if (zstd) void reply.header('vary', 'accept-encoding')
    if (matches(headers['if-none-match'], etag)) {
      await blob.close()
      metrics.got('not-modified', 0, family)
      return await reply.code(304).send()
    }
    void reply.header('content-type', contentType)
    if (range === 'unsatisfiable') {
      await blob.close()
      throw problems.create('range-not-satisfiable', `There are ${sizeBytes} bytes.`, {
        headers: { 'content-range': `bytes */${sizeBytes}` },
      })
    }
    const sentBytes = blob.range.end - blob.range.start
    metrics.got('hit', method === 'HEAD' ? 0 : sentBytes, family)
    if (encoded) void reply.header('content-encoding', 'zstd')
    else {
      void reply.header('content-length', sentBytes)
      void reply.header('repr-digest', `sha-256=:${Buffer.from(digest, 'hex').toString('base64')}:`)
    }
    if (range !== undefined) {
      const { start, end } = blob.range
      void reply.code(206).header('content-range', `bytes ${start}-${end - 1}/${sizeBytes}`)
    }
    if (method === 'HEAD') {
      await blob.close()
      return await reply.send()
    }
    if (blob.bytes !== undefined && !encoded) return await reply.send(blob.bytes)
    if (!encoded) return await reply.send(new VerifiedBody(blob))
    const body = Readable.from(blob.body(), { objectMode: false, highWaterMark: 0 })
    // Errors reach the reply through the last stream; without a callback `pipeline` would throw them as well.
    return await reply.send(pipeline(body, createZstdCompress(), () => {}))
  } catch (error) {
    if (error instanceof DamagedBlobError) {
      metrics.got('damaged', 0, family)
      if (method === 'HEAD' || sending.damagedIsMissing === true) return undefined
    }
    throw refusal(error) ?? error
  }
}

interface Opened {
  readonly blob: OpenBlob
  readonly range: Bounds | 'unsatisfiable' | undefined
}

type Open = (name: EntryName, range?: Bounds) => Promise<OpenBlob | undefined>
type Stat = (names: readonly EntryName[]) => Promise<readonly (BlobStat | undefined)[]>

/** A range is known only with the size; if the name leads elsewhere between the two looks, they are repeated. */
async function openRange(
  name: EntryName,
  { headers }: FastifyRequest,
  open: Open,
  stat: Stat,
): Promise<Opened | undefined> {
  while (headers.range !== undefined) {
    const [found] = await stat([name])
    if (found === undefined) return undefined
    const current = headers['if-range'] === undefined || headers['if-range'] === `"${found.digest}"`
    const range = current ? rangeOf(headers.range, found.sizeBytes) : undefined
    if (range === undefined) break
    const blob = await open(name, range === 'unsatisfiable' ? undefined : range).catch((error: unknown) => {
      if (error instanceof RangeError) return undefined
      throw error
    })
    if (blob?.digest === found.digest) return { blob, range }
    await blob?.close()
  }
  const blob = await open(name)
  return blob && { blob, range: undefined }
}

function acceptsZstd(header: string | readonly string[] | undefined): boolean {
  return [header ?? '']
    .flat()
    .join(',')
    .split(',')
    .some((each) => /^zstd(;q=(?!0(\.0*)?$).*)?$/i.test(each.replaceAll(' ', '')))
}
