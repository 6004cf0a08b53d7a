/** What one process says of itself at one moment; what travels to the page, twice a second. */
export interface Sample {
  /** counter, message-store, scaler, load-tolerant-api, consumer, worker-0, ... */
  readonly service: string
  /** On the clock of the process. */
  readonly atMs: number
  /** Prometheus series without the label `service`: `counter_refusals_total{reason="bound"}` to its value. */
  readonly series: Readonly<Record<string, number>>
  /** What the app adds that is no metric. */
  readonly state: Readonly<Record<string, unknown>>
  /** Why it is not ready; empty when it is. */
  readonly troubles: readonly string[]
}

/** Sum of all series of this name. */
export function total(sample: Sample, name: string): number {
  let sum = 0
  for (const [key, value] of Object.entries(sample.series)) {
    if (key === name || (key.startsWith(name) && key[name.length] === '{')) sum += value
  }
  return sum
}

/** The series of this name by the value of one label. */
export function byLabel(sample: Sample, name: string, label: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const [key, value] of Object.entries(sample.series)) {
    if (!key.startsWith(`${name}{`)) continue
    const text = new RegExp(`[{,]${label}="([^"]*)"`).exec(key)?.[1]
    if (text !== undefined) found.set(text, (found.get(text) ?? 0) + value)
  }
  return found
}

/** Growth per second between two samples; undefined without an earlier one, or when the process was restarted. */
export function rate(now: Sample, before: Sample | undefined, read: string | ((sample: Sample) => number)) {
  if (before === undefined || now.atMs <= before.atMs) return undefined
  const of = typeof read === 'string' ? (sample: Sample) => total(sample, read) : read
  const grown = of(now) - of(before)
  return grown < 0 ? undefined : (grown * 1000) / (now.atMs - before.atMs)
}

/** Mean of what a histogram observed between two samples; undefined when that was nothing. */
export function mean(now: Sample, before: Sample | undefined, histogram: string): number | undefined {
  if (before === undefined) return undefined
  const count = total(now, `${histogram}_count`) - total(before, `${histogram}_count`)
  const sum = total(now, `${histogram}_sum`) - total(before, `${histogram}_sum`)
  return count > 0 && sum >= 0 ? sum / count : undefined
}

/** Upper bound of the bucket in which the quantile of what was observed between two samples lies. */
export function quantile(now: Sample, before: Sample | undefined, histogram: string, q: number): number | undefined {
  if (before === undefined) return undefined
  const after = byLabel(now, `${histogram}_bucket`, 'le')
  const earlier = byLabel(before, `${histogram}_bucket`, 'le')
  const counts = [...after].map(
    ([le, count]) => [le === '+Inf' ? Infinity : Number(le), count - (earlier.get(le) ?? 0)] as const,
  )
  counts.sort(([a], [b]) => a - b)
  const all = counts.at(-1)?.[1] ?? 0
  if (all <= 0) return undefined
  return counts.find(([, count]) => count >= q * all)?.[0]
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isSample(value: unknown): value is Sample {
  return (
    isRecord(value) &&
    typeof value['service'] === 'string' &&
    typeof value['atMs'] === 'number' &&
    isRecord(value['series']) &&
    isRecord(value['state']) &&
    Array.isArray(value['troubles'])
  )
}
