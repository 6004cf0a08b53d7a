import type { Counter, Gauge, Histogram } from 'prom-client'
import type { Metrics } from './create-metrics.ts'

/** `trace_id` is no label of the series: prom-client's types draw exemplar labels from the same set. */
type DurationLabel = 'method' | 'route' | 'status' | 'trace_id'

/** Rate, errors and duration of an HTTP server, by route pattern. */
export interface HttpServerMetrics {
  /** `http_server_request_duration_seconds{method,route,status}`; its `_count` is the rate. */
  readonly duration: Histogram<DurationLabel>
  /** `http_server_requests_in_flight` */
  readonly inFlight: Gauge
  /** `http_server_malformed_requests_total{reason}`: closed before they became a request. */
  readonly malformed: Counter<'reason'>
}

/** From half a millisecond, where group commits and cache hits live, to the longest request time-out in use. */
const bucketsSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** `inFlight` is asked when someone scrapes. */
export function httpServerMetrics(metrics: Metrics, inFlight: () => number): HttpServerMetrics {
  return {
    duration: metrics.histogram<DurationLabel>({
      name: 'http_server_request_duration_seconds',
      help: 'Time from the request line to the last byte of the answer, by route pattern and status code.',
      labelNames: ['method', 'route', 'status'],
      buckets: bucketsSeconds,
      enableExemplars: true,
    }),
    inFlight: metrics.gauge({
      name: 'http_server_requests_in_flight',
      help: 'Requests whose answer is not finished.',
      collect() {
        this.set(inFlight())
      },
    }),
    malformed: metrics.counter({
      name: 'http_server_malformed_requests_total',
      help: 'Connections closed because what came in was no HTTP, too big or too slow.',
      labelNames: ['reason'],
    }),
  }
}
