/** Nearest-rank percentiles of values, which are sorted in place. */
export function percentiles(values: Float64Array, ...ranks: readonly number[]): number[] {
  values.sort()
  return ranks.map((rank) => values[Math.max(0, Math.ceil((rank / 100) * values.length) - 1)] ?? 0)
}
