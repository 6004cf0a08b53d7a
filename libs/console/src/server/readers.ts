import type { ServerResponse } from 'node:http'

export interface ReadersOptions {
  /** Further ones are refused. */
  readonly maxReaders: number
  /** A reader that takes nothing for so long is cut off. */
  readonly stallMs: number
  /** Called when the first reader comes, or is expected, and when the last one has gone. */
  readonly watched: (watched: boolean) => void
}

interface Reader {
  readonly response: ServerResponse
  /** By key, what waits while the socket is full: the latest of each, so that a slow reader costs no more than one of each. */
  readonly waiting: Map<string, string>
  fullSinceMs: number | undefined
}

/** Readers of server-sent events (HTML Living Standard, 9.2), who all are sent the same. */
export class Readers {
  readonly #options: ReadersOptions
  readonly #readers = new Set<Reader>()
  /** By key, what was said last: who comes later is told it at once. */
  readonly #last = new Map<string, string>()
  #expecting: ReturnType<typeof setTimeout> | undefined

  constructor(options: ReadersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#readers.size
  }

  get full(): boolean {
    return this.#readers.size >= this.#options.maxReaders
  }

  /** Somebody has asked for the page and reads in a moment: what he will be told is gathered from now on, for so long at most. */
  expect(forMs: number): void {
    const isFirst = this.#expecting === undefined && this.#readers.size === 0
    clearTimeout(this.#expecting)
    this.#expecting = setTimeout(() => this.#expectNobody(), forMs)
    this.#expecting.unref()
    if (isFirst) this.#options.watched(true)
  }

  /** The response is ours from now on; `first` goes to this reader alone. */
  add(response: ServerResponse, first: string): void {
    if (response.destroyed) return
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    })
    const reader: Reader = { response, waiting: new Map(), fullSinceMs: undefined }
    this.#readers.add(reader)
    response.on('drain', () => this.#drained(reader))
    response.once('close', () => {
      if (this.#readers.delete(reader)) this.#mayRest()
    })
    this.#write(reader, 'first', first)
    for (const [key, text] of this.#last) this.#write(reader, key, text)
    if (this.#readers.size === 1 && this.#expecting === undefined) this.#options.watched(true)
  }

  /** `key`: what it replaces for whoever has not read it yet. */
  send(key: string, event: string, data: unknown): void {
    const text = eventText(event, data)
    this.#last.set(key, text)
    for (const reader of this.#readers) this.#write(reader, key, text)
  }

  forget(key: string): void {
    this.#last.delete(key)
  }

  end(): void {
    if (this.#expecting !== undefined) this.#expectNobody()
    for (const { response, fullSinceMs } of this.#readers) {
      if (fullSinceMs === undefined) response.end('retry: 1000\n\n')
      else response.destroy()
    }
  }

  #expectNobody(): void {
    clearTimeout(this.#expecting)
    this.#expecting = undefined
    this.#mayRest()
  }

  #mayRest(): void {
    if (this.#readers.size === 0 && this.#expecting === undefined) this.#options.watched(false)
  }

  #write(reader: Reader, key: string, text: string): void {
    if (reader.fullSinceMs === undefined) {
      if (!reader.response.write(text)) reader.fullSinceMs = performance.now()
    } else if (performance.now() - reader.fullSinceMs > this.#options.stallMs) reader.response.destroy()
    else reader.waiting.set(key, text)
  }

  #drained(reader: Reader): void {
    reader.fullSinceMs = undefined
    const waiting = [...reader.waiting]
    reader.waiting.clear()
    for (const [key, text] of waiting) this.#write(reader, key, text)
  }
}

/** JSON has no bare line break, so one `data:` line holds it. */
export const eventText = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
