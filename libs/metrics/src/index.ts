export { createMetrics, type Metrics, type MetricsOptions } from './create-metrics.ts'
export type { Exposition } from './exposition.ts'
export { httpServerMetrics, type HttpServerMetrics } from './http-server-metrics.ts'
export { Counter, Gauge, Histogram, Registry } from 'prom-client'
