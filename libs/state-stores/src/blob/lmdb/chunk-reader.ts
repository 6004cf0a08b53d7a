import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ChunkAnswer, ChunkRequest } from './chunk-reader-thread.ts'

/** In a bundle it is JavaScript, and lies beside it. */
const program = new URL(`./chunk-reader-thread${extname(import.meta.url)}`, import.meta.url)

/**
 * Reads and hashes chunks in a thread of its own, one after the other, so that one core hashes what comes next while
 * another sends what was verified. It starts with the first chunk, and keeps the process only while one is asked for.
 */
class ChunkReader {
  readonly #asked: PromiseWithResolvers<ChunkAnswer>[] = []
  #worker: Worker | undefined

  /** The file must stay open meanwhile. Rejects when the thread has ended; the next chunk has a new one. */
  read(request: ChunkRequest): Promise<ChunkAnswer> {
    const worker = (this.#worker ??= this.#start())
    const asked = Promise.withResolvers<ChunkAnswer>()
    if (this.#asked.push(asked) === 1) worker.ref()
    worker.postMessage(request, request.spare)
    return asked.promise
  }

  #start(): Worker {
    const worker = new Worker(program)
    const ended = (why: unknown): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { reject } of this.#asked.splice(0))
        reject(new Error('the thread that reads chunks ended', { cause: why }))
    }
    return worker
      .on('message', (answer: ChunkAnswer) => {
        this.#asked.shift()?.resolve(answer)
        if (this.#asked.length === 0) worker.unref()
      })
      .once('error', ended)
      .once('exit', ended)
  }
}

/** One for all stores of the process. */
export const chunkReader = new ChunkReader()
