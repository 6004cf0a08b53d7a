import { rm, type FileHandle } from 'node:fs/promises'
import { NotAppliedError } from '../../outcome.ts'
import type { Digest } from '../port.ts'
import type { Released } from './catalog.ts'
import type { ChunkDone } from './chunk-worker-thread.ts'
import { writingThread } from './chunk-worker.ts'

/** A file that is still arriving; ends by `publish` or `discard`. */
export class Incoming {
  readonly generation: string
  readonly #path: string
  readonly #file: FileHandle
  readonly #publish: (file: Released) => Promise<void>
  readonly #writing = new Set<Promise<unknown>>()

  constructor(path: string, generation: string, file: FileHandle, publish: (file: Released) => Promise<void>) {
    this.#path = path
    this.generation = generation
    this.#file = file
    this.#publish = publish
  }

  /** Behind what was written before. The chunk comes back; it is gone until then. */
  async write(chunk: ArrayBuffer, plainBytes: number, compress: boolean): Promise<ChunkDone> {
    const { fd } = this.#file
    const writing = writingThread.do({ what: 'write', fd, plainBytes, compress, lent: [chunk] })
    this.#writing.add(writing)
    try {
      return await this.#guarded(() => writing)
    } finally {
      this.#writing.delete(writing)
    }
  }

  /** Durable under its final name when it resolves. */
  async publish(digest: Digest): Promise<Released> {
    const file = { digest, generation: this.generation }
    await this.#guarded(async () => {
      // Before the rename: a file must never have its final name and not its bytes.
      await this.#file.sync()
      await this.#publish(file)
    })
    return file
  }

  /** Never fails, since it also follows a commit; what stays is removed when this process ends, or by a sweep. */
  async discard(): Promise<void> {
    // Another file could get the descriptor while a chunk of this one is written to it.
    await Promise.allSettled(this.#writing)
    await Promise.allSettled([this.#file.close(), rm(this.#path, { force: true })])
  }

  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (cause) {
      throw new NotAppliedError(`${this.#path} could not be written`, { cause })
    }
  }
}
