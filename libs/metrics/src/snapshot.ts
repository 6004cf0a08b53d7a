import { Counter, Histogram, type Registry } from 'prom-client'

/** One series of a metric. */
export interface SeriesSnapshot {
  readonly labels: Readonly<Record<string, string | number | undefined>>
  readonly value: number
  /** Of a histogram: its name with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string
}

/** What one process has measured under one name, as it travels between processes. */
export interface MetricSnapshot {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly SeriesSnapshot[]
}

type RegistryMetric = NonNullable<ReturnType<Registry['getSingleMetric']>>

export type Snapshot = readonly MetricSnapshot[]

/** What a registry holds now, as far as it is `wanted`. Those of its metrics that are asked at each scrape are asked. */
export async function snapshotOf(
  registry: Registry,
  defaultLabels: SeriesSnapshot['labels'],
  wanted: (metric: RegistryMetric) => boolean = () => true,
): Promise<Snapshot> {
  const metrics = registry.getMetricsAsArray().flatMap(({ name }) => registry.getSingleMetric(name) ?? [])
  const taken = await Promise.all(metrics.filter(wanted).map((metric) => metric.get()))
  return taken.map(({ name, help, type, values }) => ({
    name,
    help,
    type,
    values: values.map((series) => ({
      labels: { ...defaultLabels, ...series.labels },
      value: series.value,
      ...('metricName' in series && typeof series.metricName === 'string' && { metricName: series.metricName }),
    })),
  }))
}

/** Its counters and histograms: to ask a gauge may cost much, as that of open descriptors does, which lists a folder. */
export const countsOf = (registry: Registry, defaultLabels: SeriesSnapshot['labels']): Promise<Snapshot> =>
  snapshotOf(registry, defaultLabels, (metric) => metric instanceof Counter || metric instanceof Histogram)

const isCumulative = ({ type }: MetricSnapshot): boolean => type === 'counter' || type === 'histogram'

/** What stays true of a process that has ended: what it counted, not what it was. */
export const cumulative = (snapshot: Snapshot): Snapshot => snapshot.filter(isCumulative)

/** What a process was when it was asked last. */
export const gauges = (snapshot: Snapshot): Snapshot => snapshot.filter((metric) => !isCumulative(metric))

/** Counters and histograms add up, so they stay as they are; a gauge of one process is told from the others' by a label. */
export const labelGauges = (snapshot: Snapshot, labels: Readonly<Record<string, string>>): Snapshot =>
  snapshot.map((metric) =>
    isCumulative(metric)
      ? metric
      : { ...metric, values: metric.values.map((series) => ({ ...series, labels: { ...series.labels, ...labels } })) },
  )

/** Adds up counters and histograms series by series; keeps every gauge. O(series). */
export function mergeSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  const metrics = new Map<string, { metric: MetricSnapshot; series: Map<string, SeriesSnapshot> }>()
  for (const metric of snapshots.flat()) {
    const merged = metrics.get(metric.name) ?? { metric, series: new Map<string, SeriesSnapshot>() }
    metrics.set(metric.name, merged)
    for (const each of metric.values) {
      const id = seriesId(each)
      const before = isCumulative(metric) ? (merged.series.get(id)?.value ?? 0) : 0
      merged.series.set(id, { ...each, value: before + each.value })
    }
  }
  return [...metrics.values()].map(({ metric, series }) => ({ ...metric, values: [...series.values()] }))
}

const seriesId = ({ metricName = '', labels }: SeriesSnapshot): string =>
  JSON.stringify([metricName, ...Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))])
