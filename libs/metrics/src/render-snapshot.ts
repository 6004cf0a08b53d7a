import type { MetricSnapshot, SeriesSnapshot, Snapshot } from './snapshot.ts'

/** The text of what several processes have measured, in Prometheus' or OpenMetrics' format; without exemplars. */
export function renderSnapshot(snapshot: Snapshot, format: 'prometheus' | 'openmetrics'): string {
  const open = format === 'openmetrics'
  const blocks = snapshot.map((metric) => renderMetric(metric, open))
  return open ? `${blocks.join('\n')}\n# EOF\n` : `${blocks.join('\n\n')}\n`
}

function renderMetric({ name, help, type, values }: MetricSnapshot, open: boolean): string {
  // In OpenMetrics the name of a counter is that of its series without the suffix.
  const family = open && type === 'counter' ? name.replace(/_total$/, '') : name
  const nameOfSeries = open && type === 'counter' ? `${family}_total` : name
  const lines = values.map((series) => renderSeries(series, nameOfSeries))
  return [`# HELP ${family} ${escapeText(help)}`, `# TYPE ${family} ${type}`, ...lines].join('\n')
}

function renderSeries({ metricName, labels, value }: SeriesSnapshot, name: string): string {
  const parts = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(String(text))}"`)
  return `${metricName ?? name}${parts.length === 0 ? '' : `{${parts.join(',')}}`} ${renderValue(value)}`
}

const renderValue = (value: number): string =>
  value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : Number.isNaN(value) ? 'NaN' : String(value)

const escapeText = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeLabel = (text: string): string => escapeText(text).replaceAll('"', '\\"')
