/** Counts of latencies by whole milliseconds, rounded up: runs can be added without keeping every request. */
export class Histogram {
  readonly #counts = new Map<number, number>()
  #total = 0

  get total(): number {
    return this.#total
  }

  add(latencyMs: number, count = 1): void {
    const key = Math.ceil(latencyMs)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
    this.#total += count
  }

  addAll(other: Histogram): void {
    for (const [ms, count] of other.#counts) this.add(ms, count)
  }

  /** Nearest rank; 0 of nothing. */
  percentile(rank: number): number {
    let left = Math.ceil((rank / 100) * this.#total)
    for (const [ms, count] of [...this.#counts].toSorted(([a], [b]) => a - b)) {
      left -= count
      if (left <= 0) return ms
    }
    return 0
  }

  /** How many took this long or longer. */
  countFrom(ms: number): number {
    let sum = 0
    for (const [key, count] of this.#counts) if (key >= ms) sum += count
    return sum
  }

  get meanMs(): number {
    let sum = 0
    for (const [ms, count] of this.#counts) sum += ms * count
    return this.#total === 0 ? 0 : sum / this.#total
  }
}
