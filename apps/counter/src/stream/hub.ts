import type { Counter } from '@ballast/state-stores/counter'
import type { AttributedStore } from '../attributed-store.ts'

/** Is shown the state of a counter whenever it is another one; `undefined`: there is no such counter now. */
export interface Watcher {
  show(counter: Counter | undefined): void
}

interface Watched {
  readonly watchers: Set<Watcher>
  last: Counter | undefined
}

/**
 * Who watches which counter. Changes made through this process are looked at when they are durable; those of other
 * processes within `pollMs`, by one read of all watched names. One read at a time, so states are shown in their order;
 * a state that is overtaken by the next one before it was read is never shown.
 */
export class CounterHub {
  readonly #read: AttributedStore['read']
  readonly #pollMs: number
  readonly #watched = new Map<string, Watched>()
  readonly #changed = new Set<string>()
  #polling: NodeJS.Timeout | undefined
  #looking = false

  constructor(store: Pick<AttributedStore, 'read'>, pollMs: number) {
    this.#read = (names) => store.read(names)
    this.#pollMs = pollMs
  }

  /** `counter`: what the watcher has been shown already. Returns how to stop. */
  watch(name: string, watcher: Watcher, counter: Counter | undefined): () => void {
    const watched = this.#watched.get(name) ?? { watchers: new Set(), last: counter }
    this.#watched.set(name, watched)
    watched.watchers.add(watcher)
    this.#polling ??= setInterval(() => this.changed(this.#watched.keys()), this.#pollMs)
    // It may have changed since it was read.
    this.changed([name])
    return () => {
      watched.watchers.delete(watcher)
      if (watched.watchers.size > 0 || this.#watched.get(name) !== watched) return
      this.#watched.delete(name)
      if (this.#watched.size > 0) return
      clearInterval(this.#polling)
      this.#polling = undefined
    }
  }

  changed(names: Iterable<string>): void {
    for (const name of names) if (this.#watched.has(name)) this.#changed.add(name)
    if (!this.#looking && this.#changed.size > 0) void this.#look()
  }

  async #look(): Promise<void> {
    this.#looking = true
    // All that change in one turn are read together.
    await new Promise((resolve) => void setImmediate(resolve))
    while (this.#changed.size > 0) {
      const names = [...this.#changed]
      this.#changed.clear()
      const counters = await this.#read(names).catch(() => undefined)
      // A store that is away is asked again by the next poll.
      for (const [index, name] of names.entries()) if (counters !== undefined) this.#show(name, counters[index])
    }
    this.#looking = false
  }

  #show(name: string, counter: Counter | undefined): void {
    const watched = this.#watched.get(name)
    if (watched === undefined || watched.last?.version === counter?.version) return
    // Another server of a store may lag behind the one that was read before.
    if (watched.last !== undefined && counter !== undefined && counter.version < watched.last.version) return
    watched.last = counter
    for (const watcher of watched.watchers) watcher.show(counter)
  }
}
