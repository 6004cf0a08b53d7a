import { once } from 'node:events'
import { createZstdDecompress, type ZstdDecompress } from 'node:zlib'
import { serviceProblems } from '@ballast/service'
import type { BlobSource } from '@ballast/state-stores/blob'
import type { FastifyRequest } from 'fastify'
import { problems } from '../problems.ts'

/**
 * The bytes of a request's body, without its content coding. Not read to its end it stays intact: destroying the
 * request would destroy the connection, and the answer with it.
 */
export function bodyOf(request: FastifyRequest): BlobSource {
  const body: AsyncIterable<Buffer> = request.raw.iterator({ destroyOnReturn: false })
  const coding = codingOf(request)
  if (coding === 'identity') {
    return { [Symbol.asyncIterator]: () => body[Symbol.asyncIterator](), release: free }
  }
  if (coding === 'zstd') return unzstd(body)
  // RFC 9110, 15.5.16: the answer says what would be taken.
  throw problems.create('unsupported-encoding', `Content-Encoding may be zstd or identity here, not ${coding}.`, {
    headers: { 'accept-encoding': 'zstd, identity' },
  })
}

/**
 * Frees the memory of a piece that has it alone, and leaves the piece empty. Node has each piece of a body in memory of its
 * own, outside of its heap: of a large one it would collect all garbage once every 20 MiB.
 */
function free({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

/** Its size, where that was announced and the bytes come as they are. */
export function plainSizeOf(request: FastifyRequest): number | undefined {
  const length = request.headers['content-length']
  return length === undefined || codingOf(request) !== 'identity' ? undefined : Number(length)
}

/** An empty header says nothing. */
function codingOf({ headers }: FastifyRequest): string {
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? ''
  return coding === '' ? 'identity' : coding
}

/** A small body as one buffer; for those of a kilobyte an iterator over it costs more than all the rest. */
export function wholeBodyOf({ raw }: FastifyRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    const cut = (): void => {
      if (!raw.readableEnded) reject(Object.assign(new Error('the body was cut off'), { code: 'ECONNRESET' }))
    }
    if (raw.destroyed) return cut()
    raw.on('data', (piece: Buffer) => void pieces.push(piece))
    raw.once('end', () => resolve(pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)))
    raw.once('error', reject)
    raw.once('close', cut)
  })
}

/** All frames, one after the other (RFC 8878, 3): the decoder ends with the first one whose end is not the end of a piece. */
async function* unzstd(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const pieces = source[Symbol.asyncIterator]()
  let rest: Buffer | undefined
  do {
    rest = yield* frame(rest, pieces)
  } while (rest !== undefined)
}

/** Decodes `first` and what follows; returns what the decoder left. */
async function* frame(
  first: Buffer | undefined,
  pieces: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer, Buffer | undefined> {
  const decoder = createZstdDecompress()
  let failure: { readonly error: unknown } | undefined
  const fed = feed(first, pieces, decoder).catch((error: unknown) => {
    failure = { error }
    decoder.destroy()
    return undefined
  })
  let rest: Buffer | undefined
  try {
    for await (const piece of decoder) if (Buffer.isBuffer(piece)) yield piece
  } catch (cause) {
    if (failure === undefined) {
      throw serviceProblems.create('malformed-body', 'The body is no whole zstd frame.', { cause })
    }
  } finally {
    decoder.destroy()
    rest = await fed
  }
  if (failure !== undefined) throw failure.error
  return rest
}

/** Until there is no more, or the decoder takes no more; what it has not taken is returned. */
async function feed(
  first: Buffer | undefined,
  pieces: AsyncIterator<Buffer>,
  decoder: ZstdDecompress,
): Promise<Buffer | undefined> {
  const closed = new Promise<void>((resolve) => void decoder.once('close', resolve))
  /** From `start` on: what the decoder may not have taken yet, at most its high-water mark and a piece. */
  const waiting: Buffer[] = []
  let start = 0
  for (let piece = first ?? (await next(pieces)); piece !== undefined; piece = await next(pieces)) {
    waiting.push(piece)
    for (let [done] = waiting; done !== undefined && start + done.length <= decoder.bytesWritten; [done] = waiting) {
      start += done.length
      waiting.shift()
    }
    if (decoder.destroyed) break
    if (decoder.write(piece)) continue
    const drained = new AbortController()
    await Promise.race([once(decoder, 'drain', drained), closed]).finally(() => drained.abort())
  }
  if (!decoder.destroyed) decoder.end()
  await closed
  const rest = Buffer.concat(waiting).subarray(decoder.bytesWritten - start)
  return rest.length === 0 ? undefined : rest
}

async function next(pieces: AsyncIterator<Buffer>): Promise<Buffer | undefined> {
  const piece = await pieces.next()
  return piece.done === true ? undefined : piece.value
}
