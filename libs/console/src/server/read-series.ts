/**
 * Prometheus text, as our own registry writes it, to a value per series. Only names that begin with one of `prefixes`.
 * The label `service` is dropped: who listens knows it. O(bytes).
 */
export function readSeries(exposition: string, prefixes: readonly string[]): Record<string, number> {
  const series: Record<string, number> = {}
  for (const line of exposition.split('\n')) {
    if (!prefixes.some((prefix) => line.startsWith(prefix))) continue
    const end = line.lastIndexOf(' ')
    const value = Number(line.slice(end + 1).replace('Inf', 'Infinity'))
    if (Number.isFinite(value)) series[nameOf(line.slice(0, end))] = value
  }
  return series
}

const nameOf = (key: string): string =>
  key
    .replace(/([{,])service="[^"]*",?/, '$1')
    .replace(',}', '}')
    .replace('{}', '')
