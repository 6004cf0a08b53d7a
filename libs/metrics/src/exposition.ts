import { Counter, Registry, type Metric } from 'prom-client'

export interface Exposition {
  readonly contentType: string
  readonly body: string
}

/**
 * Prometheus text, or OpenMetrics (which alone carries exemplars) when `accept` names it.
 *
 * prom-client ties the format to the registry, and rendering OpenMetrics strips `_total` from its counters for good, so
 * that the next scrape in Prometheus text would show other names. Here each scrape is rendered from a throw-away registry.
 */
export async function exposition(
  registry: Registry,
  defaultLabels: object,
  accept: string | undefined,
): Promise<Exposition> {
  const open = accept?.includes('application/openmetrics-text') ?? false
  const rendered = new Registry(open ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE)
  rendered.setDefaultLabels(defaultLabels)
  for (const { name } of registry.getMetricsAsArray()) {
    const metric = registry.getSingleMetric(name)
    if (metric !== undefined) rendered.registerMetric(open && metric instanceof Counter ? viewOf(metric, name) : metric)
  }
  return { contentType: rendered.contentType, body: await rendered.metrics() }
}

/** Reads the values of `metric`; the name that the renderer writes to it stays its own. */
function viewOf<L extends string>(metric: Counter<L>, name: string): Metric<L> {
  const view: Counter<L> = Object.create(metric)
  const family = name.replace(/_total$/, '')
  return Object.assign(view, { name, get: async () => ({ ...(await metric.get()), name: family }) })
}
