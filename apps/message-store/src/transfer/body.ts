import { once } from 'node:events'
import { createZstdDecompress, type ZstdDecompress } from 'node:zlib'
import { serviceProblems } from '@ballast/service'
import type { FastifyRequest } from 'fastify'
import { problems } from '../problems.ts'

/**
 * The bytes of a request's body, without its content coding. Not read to its end it stays intact: destroying the
 * request would destroy the connection, and the answer with it.
 */
export function bodyOf({ raw, headers }: FastifyRequest): AsyncIterable<Uint8Array> {
  const body: AsyncIterable<Buffer> = raw.iterator({ destroyOnReturn: false })
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity'
  if (coding === 'identity' || coding === '') return body
  if (coding === 'zstd') return unzstd(body)
  // RFC 9110, 15.5.16: the answer says what would be taken.
  throw problems.create('unsupported-encoding', `Content-Encoding may be zstd or identity here, not ${coding}.`, {
    headers: { 'accept-encoding': 'zstd, identity' },
  })
}

async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const decoder = createZstdDecompress()
  let failure: { readonly error: unknown } | undefined
  const fed = feed(source, decoder).catch((error: unknown) => {
    failure = { error }
    decoder.destroy()
  })
  try {
    for await (const piece of decoder) if (Buffer.isBuffer(piece)) yield piece
  } catch (cause) {
    if (failure === undefined) {
      throw serviceProblems.create('malformed-body', 'The body is no whole zstd frame.', { cause })
    }
  } finally {
    decoder.destroy()
    await fed
  }
  if (failure !== undefined) throw failure.error
}

async function feed(source: AsyncIterable<Buffer>, decoder: ZstdDecompress): Promise<void> {
  for await (const piece of source) {
    if (decoder.destroyed) return
    if (decoder.write(piece)) continue
    const closed = new AbortController()
    await Promise.race([once(decoder, 'drain', closed), once(decoder, 'close', closed)]).finally(() => closed.abort())
  }
  decoder.end()
}
