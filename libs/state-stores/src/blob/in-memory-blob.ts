import type { ByteRange, Digest, OpenBlob } from './port.ts'

const close = async (): Promise<void> => {}

/** A range of bytes that are in memory and verified. */
export function inMemoryBlob(digest: Digest, whole: Buffer, range: Required<ByteRange>): OpenBlob {
  const bytes = whole.subarray(range.start, range.end)
  return {
    digest,
    sizeBytes: whole.length,
    range,
    bytes,
    async *body() {
      if (bytes.length > 0) yield bytes
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
