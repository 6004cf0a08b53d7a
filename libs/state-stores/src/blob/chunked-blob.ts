import { chunksOf, within } from './chunks.ts'
import type { ByteRange, Digest, OpenBlob } from './port.ts'

export interface ChunkedBlob {
  readonly digest: Digest
  readonly sizeBytes: number
  readonly range: Required<ByteRange>
  /** One chunk, whole and verified; asked for in order. */
  readonly read: (index: number) => Promise<Buffer>
  readonly close: () => Promise<void>
}

/** A range of verified chunks. The first one is read at once, so that common damage is an error and not a cut transfer. */
export async function openChunkedBlob({ digest, sizeBytes, range, read, ...blob }: ChunkedBlob): Promise<OpenBlob> {
  const { first, last } = chunksOf(range)
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => (closed ??= blob.close())
  let beginning: Buffer
  try {
    beginning = await read(first)
  } catch (error) {
    await close()
    throw error
  }
  async function* body(): AsyncGenerator<Buffer> {
    try {
      yield within(beginning, first, range)
      for (let index = first + 1; index <= last; index++) yield within(await read(index), index, range)
    } finally {
      await close()
    }
  }
  return { digest, sizeBytes, range, body, close, [Symbol.asyncDispose]: close }
}
