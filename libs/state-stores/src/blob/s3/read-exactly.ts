import type { Readable } from 'node:stream'

/**
 * The next bytes of a stream; fewer when it ends before. Rejects, and destroys the stream, when nothing comes for
 * `timeoutMs`.
 */
export async function readExactly(
  stream: Readable,
  sizeBytes: number,
  timeoutMs: number,
  label: string,
): Promise<Buffer> {
  const pieces: Buffer[] = []
  let missing = sizeBytes
  while (missing > 0) {
    const piece: unknown = stream.read(Math.min(missing, stream.readableLength)) ?? undefined
    if (Buffer.isBuffer(piece) && piece.length > 0) {
      pieces.push(piece)
      missing -= piece.length
    } else if (stream.errored !== null) throw stream.errored
    else if (stream.readableEnded || stream.destroyed) break
    else await readable(stream, timeoutMs, label)
  }
  return Buffer.concat(pieces)
}

function readable(stream: Readable, timeoutMs: number, label: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    const cause = new DOMException(`nothing came for ${timeoutMs} ms`, 'TimeoutError')
    stream.destroy(new Error(`${label}: no more bytes within ${timeoutMs} ms`, { cause }))
  }, timeoutMs)
  const settle = (): void => resolve()
  stream.once('readable', settle).once('end', settle).once('close', settle).once('error', reject)
  return promise.finally(() => {
    clearTimeout(timer)
    stream.off('readable', settle).off('end', settle).off('close', settle).off('error', reject)
  })
}
