/** What a case measures; each side runs once per round and returns one figure. */
export interface BenchSides {
  readonly ours: () => Promise<number>
  /** What ours is compared with; without it the figure is absolute. */
  readonly peer?: () => Promise<number>
}

export interface BenchCase {
  /** "counter/group-commit-64". */
  readonly name: string
  /** What one figure is: "increments/s". */
  readonly unit: string
  readonly higherIsBetter: boolean
  /** Ours and peer in words, with what is the same on both sides. */
  readonly compares: string
  /** Rounds of its own instead of the effort's, and no uncounted turn before them: for cases whose rounds are long. */
  readonly rounds?: (effort: Effort) => number
  /** Takes `longMs` once, instead of rounds; not part of a quick run. */
  readonly long?: true
  /** Opens what the sides need on `stack`, which is disposed after the case. */
  open(stack: AsyncDisposableStack, effort: Effort): Promise<BenchSides>
}

/** How much a case does: the whole run, or the quick one whose figures are rougher. */
export interface Effort {
  readonly rounds: number
  /** Length of one measurement over time. */
  readonly measureMs: number
  /** Length of a long case, at full size; without it such a case is short and small, to show that it works. */
  readonly longMs?: number
  /** Told what is going on within a round that takes minutes. */
  readonly progress?: (line: string) => void
}

export const wholeEffort: Effort = { rounds: 5, measureMs: 3_000, longMs: 600_000 }
export const quickEffort: Effort = { rounds: 3, measureMs: 1_000 }

/** One file of suites/. */
export interface Suite {
  readonly name: string
  readonly summary: string
  readonly cases: readonly BenchCase[]
}
