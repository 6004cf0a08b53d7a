import { setTimeout as delay } from 'node:timers/promises'
import { isSample, readEvents, type Readers } from '@ballast/console'

const retryMs = 500
/** A process that is stopped by a signal keeps its connection, and says nothing. */
const silenceMs = 3_000

export interface FeedOptions {
  /** What it is called on the page. */
  readonly name: string
  /** Where it listens now; undefined while it does not. */
  readonly url: () => string | undefined
  readonly readers: Pick<Readers, 'send'>
  /** Shown when nothing is heard. */
  readonly why: () => string
}

/** Follows the samples of one process and passes them on; through restarts, and while it is asked to. */
export class Feed {
  readonly #options: FeedOptions
  #stop: AbortController | undefined

  constructor(options: FeedOptions) {
    this.#options = options
  }

  follow(): void {
    if (this.#stop !== undefined) return
    const stop = new AbortController()
    this.#stop = stop
    void this.#run(stop.signal)
  }

  rest(): void {
    this.#stop?.abort()
    this.#stop = undefined
  }

  async #run(stop: AbortSignal): Promise<void> {
    const { name, readers, why } = this.#options
    while (!stop.aborted) {
      const refused = await this.#read(stop).catch(() => undefined)
      if (stop.aborted) return
      readers.send(name, 'down', { service: name, why: refused ?? why() })
      await delay(retryMs, undefined, { signal: stop }).catch(() => {})
    }
  }

  /** Why it does not let us read; undefined when it was a matter of the connection. */
  async #read(stop: AbortSignal): Promise<string | undefined> {
    const { name, url, readers } = this.#options
    const address = url()
    if (address === undefined) return undefined
    const abort = new AbortController()
    const end = (): void => abort.abort()
    stop.addEventListener('abort', end, { once: true })
    let silence = setTimeout(end, silenceMs)
    try {
      const { body, status } = await fetch(`${address}/ui/events`, { signal: abort.signal })
      if (status === 401 || status === 403) return `it asks for a token of its own: open ${address}/ui`
      if (status !== 200 || body === null) return `it answers ${status}`
      for await (const { event, data } of readEvents(body.pipeThrough(new TextDecoderStream()))) {
        clearTimeout(silence)
        silence = setTimeout(end, silenceMs)
        if (event === 'sample' && isSample(data)) readers.send(name, 'sample', { ...data, service: name })
      }
      return undefined
    } finally {
      clearTimeout(silence)
      stop.removeEventListener('abort', end)
    }
  }
}
