import { fits64Bits, type CounterOp } from '@ballast/state-stores/counter'
import { NotAppliedError } from '@ballast/state-stores/outcome'
import type { AttributedStore } from './attributed-store.ts'

/** Why additions that were answered 202 are gone: they may have been applied, were refused, or there was no more time. */
export type LossReason = 'outcome-unknown' | 'refused' | 'stopped'

export interface BufferOptions {
  /** `namespace/name`, or the beginning of names followed by `*`. */
  readonly patterns: readonly string[]
  /** Additions wait for their commit no longer than this; so much of them is lost with the process. */
  readonly flushIntervalMs: number
  /** Counters that may wait; additions to further ones are durable ones. */
  readonly maxCounters?: number
  readonly lost: (additions: number, reason: LossReason) => void
}

interface Pending {
  by: bigint
  additions: number
}

const maxOperations = 1_000

/**
 * Additions to counters for which speed is worth more than each single one: summed up in memory and committed at an
 * interval, by commits of their own whose operations have no caller. They are never doubled: what may have been applied
 * is not tried again, but counted as lost. What was definitely not applied waits for the next flush; until that has
 * succeeded, nothing more is accepted, because it could be lost for longer than `lossWindowMs`.
 */
export class BufferedAdditions {
  readonly #store: AttributedStore
  readonly #options: BufferOptions
  readonly #matches: (name: string) => boolean
  #pending = new Map<string, Pending>()
  #flushing: ReadonlyMap<string, Pending> = new Map()
  #running: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | undefined
  /** The last commit was refused: what waits does so for longer than it was said to. */
  #isLate = false
  #closed = false

  constructor(store: AttributedStore, options: BufferOptions) {
    this.#store = store
    this.#options = options
    this.#matches = matcher(options.patterns)
  }

  get lossWindowMs(): number {
    return this.#options.flushIntervalMs
  }

  /** False: this one has to be carried out the durable way. */
  add(name: string, by: bigint): boolean {
    if (this.#closed || this.#isLate || !this.#matches(name)) return false
    const waiting = this.#pending.get(name)
    const sum = (waiting?.by ?? 0n) + by
    const { maxCounters = 100_000, flushIntervalMs } = this.#options
    if (!fits64Bits(sum) || (waiting === undefined && this.#pending.size >= maxCounters)) return false
    if (waiting === undefined) this.#pending.set(name, { by, additions: 1 })
    else {
      waiting.by = sum
      waiting.additions += 1
    }
    this.#timer ??= setTimeout(() => void this.flush(), flushIntervalMs)
    return true
  }

  /** Before a durable operation on these counters, so that it comes after what was accepted before it. */
  async settle(names: readonly string[]): Promise<void> {
    if (names.some((name) => this.#pending.has(name))) await this.flush()
    else if (names.some((name) => this.#flushing.has(name))) await this.#running
  }

  /** Commits what waits. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    return (this.#running = this.#running.then(() => this.#flush()))
  }

  /** Accepts no more, and tries three times. */
  async close(): Promise<void> {
    this.#closed = true
    for (let attempt = 0; attempt < 3; attempt++) await this.flush()
    clearTimeout(this.#timer)
    this.#lose(this.#pending, 'stopped')
    this.#pending = new Map()
  }

  async #flush(): Promise<void> {
    const waiting = [...this.#pending]
    this.#flushing = this.#pending
    this.#pending = new Map()
    for (let start = 0; start < waiting.length; start += maxOperations) {
      await this.#commit(new Map(waiting.slice(start, start + maxOperations)))
    }
    this.#flushing = new Map()
  }

  async #commit(part: ReadonlyMap<string, Pending>): Promise<void> {
    try {
      const ops = [...part].map(([name, { by }]): CounterOp => ({ kind: 'add', name, by }))
      const outcomes = await this.#store.commit(ops, 'buffer')
      this.#isLate = false
      const refused = [...part].filter((_, index) => outcomes[index]?.ok !== true)
      this.#lose(new Map(refused), 'refused')
    } catch (error) {
      if (error instanceof NotAppliedError) this.#putBack(part)
      else this.#lose(part, 'outcome-unknown')
    }
  }

  #putBack(part: ReadonlyMap<string, Pending>): void {
    this.#isLate = true
    for (const [name, { by, additions }] of part) {
      const later = this.#pending.get(name)
      const sum = by + (later?.by ?? 0n)
      if (fits64Bits(sum)) this.#pending.set(name, { by: sum, additions: additions + (later?.additions ?? 0) })
      else this.#options.lost(additions, 'refused')
    }
    if (!this.#closed) this.#timer ??= setTimeout(() => void this.flush(), this.#options.flushIntervalMs)
  }

  #lose(part: ReadonlyMap<string, Pending>, reason: LossReason): void {
    let additions = 0
    for (const each of part.values()) additions += each.additions
    if (additions > 0) this.#options.lost(additions, reason)
  }
}

function matcher(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  return (name) => names.has(name) || beginnings.some((beginning) => name.startsWith(beginning))
}
