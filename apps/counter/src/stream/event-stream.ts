import type { ServerResponse } from 'node:http'
import type { Counter } from '@ballast/state-stores/counter'
import { counterView, split } from '../representation.ts'
import type { Watcher } from './hub.ts'

/**
 * Server-sent events (HTML Living Standard, 9.2) to one reader. Never more than one buffer of the socket waits for him:
 * while it is full, later states replace each other, and he gets the last one when there is room.
 */
export class EventStream implements Watcher {
  readonly #response: ServerResponse
  readonly #name: string
  #shownVersion: bigint | undefined
  /** Since when nothing can be written. */
  #fullSinceMs: number | undefined
  #next: { readonly counter: Counter | undefined } | undefined

  /** `lastVersion`: the state that the reader has already. */
  constructor(response: ServerResponse, name: string, lastVersion: bigint | undefined) {
    this.#response = response
    this.#name = name
    this.#shownVersion = lastVersion
    response.on('drain', () => this.#drained())
  }

  show(counter: Counter | undefined): void {
    if (this.#fullSinceMs !== undefined) this.#next = { counter }
    else if (counter === undefined || counter.version !== this.#shownVersion) {
      this.#shownVersion = counter?.version
      this.#write(counter === undefined ? absentEvent(this.#name) : counterEvent(counter))
    }
  }

  /** Keeps proxies from ending the connection; returns whether the reader has not read for longer than `stallMs`. */
  beat(stallMs: number): boolean {
    if (this.#fullSinceMs === undefined) this.#write(':\n\n')
    else return performance.now() - this.#fullSinceMs >= stallMs
    return false
  }

  /** Tells the reader when to come back. One that does not read is cut off, or he would hold up the end of the process. */
  end(retryMs: number): void {
    if (this.#fullSinceMs === undefined) this.#response.end(`retry: ${retryMs}\n\n`)
    else this.cut()
  }

  cut(): void {
    this.#response.destroy()
  }

  #write(text: string): void {
    if (!this.#response.write(text)) this.#fullSinceMs ??= performance.now()
  }

  #drained(): void {
    const next = this.#next
    this.#fullSinceMs = undefined
    this.#next = undefined
    if (next !== undefined) this.show(next.counter)
  }
}

const counterEvent = (counter: Counter): string =>
  `id: ${counter.version}\nevent: counter\ndata: ${JSON.stringify(counterView(counter))}\n\n`

const absentEvent = (name: string): string => `event: absent\ndata: ${JSON.stringify(split(name))}\n\n`
