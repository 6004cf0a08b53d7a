import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { ChunkMismatchError } from '../chunks.ts'
import type { ChunkAnswer, ChunkDone, ChunkRequest } from './chunk-worker-thread.ts'

/** In a bundle it is JavaScript, and lies beside it. */
const program = new URL(`./chunk-worker-thread${extname(import.meta.url)}`, import.meta.url)

/**
 * Reads, writes and hashes chunks in a thread of its own, one after the other, so that one core hashes what comes next
 * while another talks to the client. It starts with the first chunk, and keeps the process only while it has work.
 */
class ChunkWorker {
  readonly #asked: PromiseWithResolvers<ChunkAnswer>[] = []
  #worker: Worker | undefined

  /**
   * The file must stay open, and what is lent alone, until it settles. Rejects with `ChunkMismatchError`, with what the disk
   * says, or when the thread has ended; the next chunk has a new one.
   */
  async do(request: ChunkRequest): Promise<ChunkDone> {
    const worker = (this.#worker ??= this.#start())
    const asked = Promise.withResolvers<ChunkAnswer>()
    if (this.#asked.push(asked) === 1) worker.ref()
    worker.postMessage(request, request.lent)
    const answer = await asked.promise
    if ('damage' in answer) throw new ChunkMismatchError(answer.damage)
    if ('failure' in answer) throw Object.assign(new Error(answer.failure), { code: answer.code })
    return answer
  }

  #start(): Worker {
    const worker = new Worker(program)
    const ended = (cause: unknown): void => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      for (const { reject } of this.#asked.splice(0)) reject(new Error('the thread of the chunks ended', { cause }))
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

/** For all stores of the process; two, so that a disk that is slow to take what is written holds up nobody who reads. */
export const readingThread = new ChunkWorker()
export const writingThread = new ChunkWorker()
