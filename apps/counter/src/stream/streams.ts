import type { ServerResponse } from 'node:http'
import type { Metrics } from '@ballast/metrics'
import type { Counter } from '@ballast/state-stores/counter'
import { EventStream } from './event-stream.ts'
import type { CounterHub } from './hub.ts'

export interface StreamLimits {
  readonly maxStreams: number
  /** A sign of life to every reader. */
  readonly heartbeatMs: number
  /** A reader that takes nothing for so long is cut off. */
  readonly stallMs: number
}

/** All streams of this process: how many there may be, their signs of life, and their end. */
export class Streams {
  readonly #limits: StreamLimits
  readonly #hub: CounterHub
  readonly #open = new Set<EventStream>()
  #reserved = 0
  readonly #cut: { inc(): void }
  #beating: NodeJS.Timeout | undefined
  #ended = false

  constructor(limits: StreamLimits, hub: CounterHub, metrics: Metrics) {
    this.#limits = limits
    this.#hub = hub
    this.#cut = metrics.counter({
      name: 'counter_slow_readers_total',
      help: 'Readers of a stream that were cut off because they did not read',
    })
    const open = this.#open
    metrics.gauge({
      name: 'counter_streams',
      help: 'Readers of a stream',
      collect() {
        this.set(open.size)
      },
    })
  }

  /** Keeps a place for a reader who comes, until the returned function is called; `undefined`: there is none left. */
  reserve(): (() => void) | undefined {
    if (this.#open.size + this.#reserved >= this.#limits.maxStreams) return undefined
    this.#reserved += 1
    return () => void (this.#reserved -= 1)
  }

  /** Follows `name` until the reader goes or `end` is called. `counter`: as it is now. */
  add(response: ServerResponse, name: string, counter: Counter | undefined, lastVersion: bigint | undefined): void {
    const stream = new EventStream(response, name, lastVersion)
    this.#open.add(stream)
    this.#beating ??= setInterval(() => this.#beat(), this.#limits.heartbeatMs)
    const unwatch = this.#hub.watch(name, stream, counter)
    response.once('close', () => {
      unwatch()
      this.#open.delete(stream)
      if (this.#open.size > 0) return
      clearInterval(this.#beating)
      this.#beating = undefined
    })
    // Other events may follow much later; the first one shows that the stream works.
    stream.show(counter)
    if (this.#ended) stream.end(retryMs())
  }

  end(): void {
    this.#ended = true
    for (const stream of this.#open) stream.end(retryMs())
  }

  #beat(): void {
    for (const stream of this.#open) {
      if (!stream.beat(this.#limits.stallMs)) continue
      this.#cut.inc()
      stream.cut()
    }
  }
}

/** Spread, so that not all readers come back at once. */
const retryMs = (): number => 1_000 + Math.floor(Math.random() * 2_000)
