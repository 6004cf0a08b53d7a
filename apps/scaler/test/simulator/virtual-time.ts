interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

/** Lets everything happen that needs no time: promises, however deep. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** One heap of events in order of time, then of when they were asked for. Time passes only from one to the next. */
export class VirtualTime {
  readonly #heap: Event[] = []
  #order = 0
  #nowMs = 0
  #events = 0

  readonly nowMs = (): number => this.#nowMs

  /** How many have happened: what a run cost. */
  get events(): number {
    return this.#events
  }

  /** Returns what takes it back. */
  after(delayMs: number, run: () => void): () => void {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run, cancelled: false }
    this.#push(event)
    return () => void (event.cancelled = true)
  }

  async runFor(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs
    await settle()
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= untilMs; next = this.#heap[0]) {
      this.#pop()
      if (next.cancelled) continue
      this.#nowMs = next.atMs
      this.#events += 1
      next.run()
      await settle()
    }
    this.#nowMs = untilMs
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swapIfLater(parent, at)) return
      at = parent
    }
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    heap[0] = last
    for (let at = 0; ;) {
      const [left, right] = [at * 2 + 1, at * 2 + 2]
      const child = right < heap.length && this.#isLater(left, right) ? right : left
      if (child >= heap.length || !this.#swapIfLater(at, child)) return
      at = child
    }
  }

  #isLater(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]]
    return a !== undefined && b !== undefined && (a.atMs > b.atMs || (a.atMs === b.atMs && a.order > b.order))
  }

  #swapIfLater(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]]
    if (a === undefined || b === undefined || !this.#isLater(one, other)) return false
    this.#heap[one] = b
    this.#heap[other] = a
    return true
  }
}
