/** One line of a dashboard: what it shows, how, and its unit as Grafana calls it. */
type Panel = readonly [
  title: string,
  expression: string,
  unit: 'reqps' | 's' | 'short' | 'bytes' | 'percentunit' | 'ops',
]

const requests = (service: string): readonly Panel[] => [
  [
    'Requests',
    `sum by (status) (rate(http_server_request_duration_seconds_count{service=~"${service}"}[5m]))`,
    'reqps',
  ],
  [
    'Time of an answer, p50 and p99',
    `histogram_quantile(0.99, sum by (le) (rate(http_server_request_duration_seconds_bucket{service=~"${service}"}[5m]))) or histogram_quantile(0.5, sum by (le) (rate(http_server_request_duration_seconds_bucket{service=~"${service}"}[5m])))`,
    's',
  ],
  ['Answers 5xx', `service:http_errors:ratio_rate5m{service=~"${service}"}`, 'percentunit'],
  ['Memory', `process_resident_memory_bytes{service=~"${service}"}`, 'bytes'],
]

const p99 = (name: string): string => `histogram_quantile(0.99, sum by (le) (rate(${name}_bucket[5m])))`

/** What each dashboard shows. Every metric here is one that the app exports: the test beside this starts them and asks. */
export const dashboards: Readonly<Record<string, readonly Panel[]>> = {
  overview: [
    ['Requests', 'sum by (service) (rate(http_server_request_duration_seconds_count[5m]))', 'reqps'],
    ['Answers 5xx', 'service:http_errors:ratio_rate5m', 'percentunit'],
    ['Error budget spent in 6 h, 1 = all of it', 'service:http_errors:ratio_rate6h / 0.001 * 6 / 720', 'percentunit'],
    ['Requests under way', 'sum by (service) (http_server_requests_in_flight)', 'short'],
    ['Event loop, p99', 'max by (service) (nodejs_eventloop_lag_p99_seconds)', 's'],
    ['CPU', 'sum by (service) (rate(process_cpu_seconds_total[5m]))', 'short'],
    ['Memory', 'sum by (service) (process_resident_memory_bytes)', 'bytes'],
  ],
  counter: [
    ...requests('counter'),
    ['Operations', 'sum(rate(counter_operations_total[5m]))', 'ops'],
    ['A commit, p99', p99('counter_commit_seconds'), 's'],
    ['of it the syncs, p99', p99('counter_commit_fsync_seconds'), 's'],
    ['Waiting for a commit', 'counter_queue_depth', 'short'],
    ['Refused', 'sum by (reason) (rate(counter_refusals_total[5m]))', 'ops'],
    ['Failed writes', 'sum by (outcome) (rate(counter_write_failures_total[5m]))', 'ops'],
    ['Answers given again', 'sum(rate(counter_idempotency_replays_total[5m]))', 'ops'],
    ['Readers that follow', 'sum(counter_streams)', 'short'],
  ],
  'message-store': [
    ...requests('message-store'),
    ['Puts', 'sum by (outcome) (rate(message_store_puts_total[5m]))', 'ops'],
    ['Gets', 'sum by (outcome) (rate(message_store_gets_total[5m]))', 'ops'],
    ['A commit, p99', p99('message_store_commit_seconds'), 's'],
    ['Bytes by family', 'max by (family) (message_store_family_bytes)', 'bytes'],
    ['Damage found', 'sum(increase(message_store_integrity_failures_total[1h]))', 'short'],
    ['Written', 'sum(rate(message_store_written_bytes_total[5m]))', 'bytes'],
    ['Read', 'sum(rate(message_store_read_bytes_total[5m]))', 'bytes'],
  ],
  scaler: [
    ...requests('scaler'),
    ['Rows of each worker', 'scaler_watched_rows', 'short'],
    ['Rows credited', 'sum(rate(scaler_row_ticks_total[1m]))', 'ops'],
    ['How late a tick began', 'max by (instance) (scaler_tick_lag_seconds)', 's'],
    ['Slots without an owner', 'max(scaler_unowned_slots)', 'short'],
    ['Fullest worker over the mean', 'max(scaler_max_over_mean)', 'short'],
    ['Rows that moved', 'sum(increase(scaler_moved_rows_total[5m]))', 'short'],
    ['Writes that a fence refused', 'sum(rate(scaler_fenced_writes_total[5m]))', 'ops'],
    ['Workers, and wanted ones', 'max(scaler_workers) or max(scaler_wanted_workers)', 'short'],
  ],
  'load-tolerant-api': [
    ...requests('load-tolerant-api'),
    ['Accepted documents', 'sum(rate(load_tolerant_api_accepted_documents_total[1m]))', 'ops'],
    ['Refused', 'sum by (code) (rate(load_tolerant_api_refused_requests_total[1m]))', 'ops'],
    ['Documents in the queue', 'max(load_tolerant_api_queue_documents)', 'short'],
    ['Age of the oldest', 'max(load_tolerant_api_queue_oldest_age_seconds)', 's'],
    ['Write commands', 'sum(rate(load_tolerant_api_write_commands_total[1m]))', 'ops'],
    ['Documents in one', p99('load_tolerant_api_command_documents'), 'short'],
    ['A write command, p99', p99('load_tolerant_api_flush_seconds'), 's'],
    ['Dead letters', 'max(load_tolerant_api_dead_letters)', 'short'],
    ['Reads of the cache', 'sum by (outcome) (rate(load_tolerant_api_cache_reads_total[1m]))', 'ops'],
  ],
}

/** The JSON that Grafana provisions or its sidecar finds; 24 units wide, three panels in a row. */
export function grafanaDashboard(name: string, panels: readonly Panel[]): string {
  const dashboard = {
    uid: `ballast-${name}`,
    title: `Ballast: ${name}`,
    tags: ['ballast'],
    timezone: 'utc',
    refresh: '30s',
    schemaVersion: 39,
    time: { from: 'now-3h', to: 'now' },
    templating: {
      list: [{ name: 'source', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} }],
    },
    panels: panels.map(([title, expr, unit], at) => ({
      id: at + 1,
      type: 'timeseries',
      title,
      datasource: { type: 'prometheus', uid: '${source}' },
      gridPos: { x: (at % 3) * 8, y: Math.floor(at / 3) * 8, w: 8, h: 8 },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: [{ refId: 'A', expr }],
    })),
  }
  return `${JSON.stringify(dashboard)}\n`
}

/** Names of metrics in an expression, without the suffixes of histograms; what recording rules make is not among them. */
export function metricsIn(expression: string): string[] {
  const names =
    expression
      .replaceAll(/\{[^}]*\}|"[^"]*"|\[[^\]]*\]|\b(by|without) \([^)]*\)/g, ' ')
      .match(/[a-z][a-z0-9_:]*_[a-z0-9_:]+/g) ?? []
  return names
    .filter((name) => !name.includes(':') && !['histogram_quantile'].includes(name))
    .map((name) => name.replace(/_(bucket|sum|count)$/, ''))
}
