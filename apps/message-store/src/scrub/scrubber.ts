import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Metrics } from '@ballast/metrics'
import type { BlobStore } from '@ballast/state-stores/blob'
import { paceOf, type Pace } from './pace.ts'

export interface ScrubberOptions {
  readonly store: BlobStore
  readonly metrics: Metrics
  readonly bytesPerSecond: number
  /** From the start of one pass to the start of the next; also before the first one, shortened at random. */
  readonly everyMs: number
  readonly onError: (error: unknown) => void
}

export interface Scrubbed {
  readonly blobs: number
  readonly sizeBytes: number
  readonly damaged: number
}

/** Reads all that is stored, again and again and slowly, so that damage is found while another copy may still exist. */
export class Scrubber {
  readonly #options: ScrubberOptions
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(options: ScrubberOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { store, metrics, bytesPerSecond, everyMs, onError } = this.#options
    const { signal } = this.#stop
    const bytes = metrics.counter({ name: 'message_store_scrubbed_bytes_total', help: 'Bytes that a scrub has read' })
    const passes = metrics.counter({ name: 'message_store_scrubs_total', help: 'Scrubs that have read everything' })
    const pace = paceOf(bytesPerSecond, signal)
    // Replicas and restarts do not begin in step, and not always at the same blobs.
    let waitMs = Math.min(everyMs, 60_000) * (0.5 + Math.random() / 2)
    for (;;) {
      try {
        await wait(waitMs, undefined, { signal, ref: false })
        const startedMs = performance.now()
        await scrubOnce(store, (sizeBytes) => {
          bytes.inc(sizeBytes)
          return pace(sizeBytes)
        })
        passes.inc()
        waitMs = Math.max(1_000, everyMs - (performance.now() - startedMs))
      } catch (error) {
        if (signal.aborted) return
        onError(error)
        waitMs = Math.min(everyMs, 60_000)
      }
    }
  }
}

/** Every blob once, from a random one on and round again: a pass that is never finished still reaches all of them. */
export async function scrubOnce(store: BlobStore, pace: Pace): Promise<Scrubbed> {
  const middle = randomBytes(32).toString('hex')
  let sum: Scrubbed = { blobs: 0, sizeBytes: 0, damaged: 0 }
  for (const from of [middle, undefined]) {
    for (let after = from; ;) {
      const page = await store.scrub({ limit: 100, pace, ...(after === undefined ? {} : { after }) })
      if (page === undefined) throw new Error('this store cannot be scrubbed; see `lacks` in its log')
      const { blobs, sizeBytes, damaged, next } = page
      sum = { blobs: sum.blobs + blobs, sizeBytes: sum.sizeBytes + sizeBytes, damaged: sum.damaged + damaged }
      if (next === undefined || (from === undefined && next > middle)) break
      after = next
    }
  }
  return sum
}
