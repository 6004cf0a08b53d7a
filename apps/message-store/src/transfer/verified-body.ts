import { Readable } from 'node:stream'
import type { OpenBlob } from '@ballast/state-stores/blob'

/**
 * The body of a blob as Fastify wants it, a stream that it pipes into the response. Each piece is written when the one
 * before has left, so that nothing is read for a client that does not read, and the memory of what has left is used again.
 */
export class VerifiedBody extends Readable {
  readonly #blob: OpenBlob

  constructor(blob: OpenBlob) {
    super({ read() {} })
    this.#blob = blob
  }

  override pipe<Destination extends NodeJS.WritableStream>(destination: Destination): Destination {
    this.once('end', () => void destination.end())
    this.#pour(destination).then(
      () => void this.resume().push(null),
      (error: unknown) => void this.destroy(error instanceof Error ? error : new Error(String(error))),
    )
    return destination
  }

  async #pour(destination: NodeJS.WritableStream): Promise<void> {
    for await (const piece of this.#blob.body()) {
      await written(destination, piece)
      this.#blob.release?.(piece)
    }
  }
}

/** Resolves when the kernel has the bytes, or a copy of them was encrypted; rejects when the connection is gone. */
function written(destination: NodeJS.WritableStream, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('the client went away'))
    destination.once('close', gone)
    destination.write(piece, (error) => {
      destination.off('close', gone)
      if (error) reject(error)
      else resolve()
    })
  })
}
