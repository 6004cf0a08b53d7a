/**
 * Did a counter keep its promise? What clients saw is enough to tell, exactly and in O(n log n): additions to a counter
 * are fetch-and-add operations, so the order in which they took effect is the order of their answers, and only
 * three things can be wrong with it (cf. Jepsen's counter and unique-ids checkers).
 */

/** One addition, retries under its idempotency key included, as its client saw it. */
export interface Addition {
  readonly key: string
  /** Above 0. */
  readonly by: bigint
  /** When it was first sent, on a clock that all clients of the history share. */
  readonly startedMs: number
  /** When the last answer came; missing when none ever did: it may or may not have taken effect. */
  readonly endedMs?: number
  /** The value answered; missing together with `endedMs`. */
  readonly value?: bigint
}

export interface Reading {
  readonly startedMs: number
  readonly endedMs: number
  readonly value: bigint
}

export interface History {
  readonly initial: bigint
  readonly additions: readonly Addition[]
  readonly readings?: readonly Reading[]
  /** Read when every client had stopped. */
  readonly final: bigint
}

export interface Verdict {
  readonly acknowledged: number
  readonly unknown: number
  /** One sentence each; empty when nothing was lost, doubled or out of order. */
  readonly violations: readonly string[]
}

type Acknowledged = Addition & { readonly endedMs: number; readonly value: bigint }

const isAcknowledged = (addition: Addition): addition is Acknowledged =>
  addition.endedMs !== undefined && addition.value !== undefined

export function checkHistory({ initial, additions, readings = [], final }: History): Verdict {
  const acknowledged = additions.filter(isAcknowledged)
  const unknown = additions.filter((addition) => !isAcknowledged(addition))
  const possible = unknown.reduce((sum, { by }) => sum + by, 0n)
  return {
    acknowledged: acknowledged.length,
    unknown: unknown.length,
    violations: [...accounts(acknowledged, initial, final, possible), ...order(acknowledged, readings, initial)],
  }
}

/** Each answer owns the interval (value - by, value]. Two that overlap: doubled or lost. A gap: somebody unknown. */
function accounts(acknowledged: readonly Acknowledged[], initial: bigint, final: bigint, possible: bigint): string[] {
  const violations: string[] = []
  let [end, gaps] = [initial, 0n]
  for (const { key, by, value } of acknowledged.toSorted((a, b) =>
    a.value < b.value ? -1 : a.value > b.value ? 1 : 0,
  )) {
    const begin = value - by
    if (begin < end)
      violations.push(`${key} was answered ${value}, but all up to ${end} was taken: an addition was lost`)
    else gaps += begin - end
    if (value > end) end = value
  }
  if (final < end)
    violations.push(`the counter ends at ${final}, but ${end} had been answered: acknowledged additions were lost`)
  else gaps += final - end
  if (gaps > possible) {
    violations.push(
      `${gaps} more was added than acknowledged, of which unanswered requests explain ${possible}: some were doubled`,
    )
  }
  return violations
}

/** Whoever started after another one had his answer must have a later value. */
function order(acknowledged: readonly Acknowledged[], readings: readonly Reading[], initial: bigint): string[] {
  const operations = [
    ...acknowledged.map(({ key, by, value, startedMs, endedMs }) => ({
      name: key,
      least: by,
      value,
      startedMs,
      endedMs,
    })),
    ...readings.map((reading) => ({ name: 'a reading', least: 0n, ...reading })),
  ]
  const byStart = operations.toSorted((a, b) => a.startedMs - b.startedMs)
  const byEnd = operations.toSorted((a, b) => a.endedMs - b.endedMs)
  const violations: string[] = []
  let [seen, ended] = [initial, 0]
  for (const { name, least, value, startedMs } of byStart) {
    for (let next = byEnd[ended]; next !== undefined && next.endedMs < startedMs; next = byEnd[++ended]) {
      if (next.value > seen) seen = next.value
    }
    if (value < seen + least)
      violations.push(`${name} was answered ${value} after ${seen} had been seen: time ran backwards`)
  }
  return violations
}
