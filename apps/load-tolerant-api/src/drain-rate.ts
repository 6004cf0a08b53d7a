import type { Backlog, StreamBounds } from '@ballast/state-stores/stream'

/** What share of a bound shall be free again before a refused client comes back. */
const headroom = 0.1
const longestSeconds = 60

interface Sample {
  readonly atMs: number
  readonly settledBytes: bigint
  readonly settledDocuments: bigint
}

/** How fast the queue empties, from its own counts over the last seconds; tells refused clients when to come back. */
export class DrainRate {
  readonly #windowMs: number
  #samples: Sample[] = []
  #backlog: Backlog | undefined

  constructor(windowMs = 10_000) {
    this.#windowMs = windowMs
  }

  sample(backlog: Backlog, atMs: number): void {
    const { settledBytes, settledDocuments } = backlog
    this.#backlog = backlog
    this.#samples = [
      ...this.#samples.filter((old) => atMs - old.atMs <= this.#windowMs),
      { atMs, settledBytes, settledDocuments },
    ]
  }

  get bytesPerSecond(): number {
    const [first, last] = [this.#samples.at(0), this.#samples.at(-1)]
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0
    return (Number(last.settledBytes - first.settledBytes) * 1000) / (last.atMs - first.atMs)
  }

  /** Whole seconds until a tenth of the bound is free at the present rate: 1 to 60; 60 when nothing drains. */
  retryAfterSeconds(bounds: Pick<StreamBounds, 'maxBytes' | 'maxEntries'>): number {
    const { bytesPerSecond } = this
    if (bytesPerSecond <= 0 || this.#backlog === undefined) return longestSeconds
    const { entries, bytes } = this.#backlog
    const bytesPerEntry = entries === 0 ? 0 : bytes / entries
    const surplusBytes = Math.max(
      bytes - bounds.maxBytes * (1 - headroom),
      (entries - bounds.maxEntries * (1 - headroom)) * bytesPerEntry,
      0,
    )
    return Math.min(longestSeconds, Math.max(1, Math.ceil(surplusBytes / bytesPerSecond)))
  }
}
