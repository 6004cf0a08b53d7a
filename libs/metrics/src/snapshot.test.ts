import { expect, test } from 'vitest'
import { createMetrics, type Metrics } from './create-metrics.ts'
import { httpServerMetrics } from './http-server-metrics.ts'
import { cumulative, labelGauges, mergeSnapshots } from './snapshot.ts'

const openMetrics = 'application/openmetrics-text; version=1.0.0'
const quiet = { service: 'counter', processMetrics: false }

function measured(requests: number): Metrics {
  const metrics = createMetrics(quiet)
  metrics
    .counter({ name: 'counter_x_total', help: 'a "x"\nof \\', labelNames: ['kind'] })
    .inc({ kind: 'a"\n' }, requests)
  const { duration } = httpServerMetrics(metrics, () => requests)
  for (let n = 0; n < requests; n++) {
    duration.observe({ labels: { method: 'GET', route: '/', status: 200 }, value: 0.004, exemplarLabels: {} })
  }
  return metrics
}

test('the text of a snapshot is that of its registry, in both formats', async () => {
  const metrics = measured(3)
  const own = [await metrics.exposition(undefined), await metrics.exposition(openMetrics)]
  metrics.addSource(async () => [])
  const merged = [await metrics.exposition(undefined), await metrics.exposition(openMetrics)]
  for (const [index, { contentType, body }] of own.entries()) {
    expect(merged[index]?.contentType).toBe(contentType)
    expect(comparable(merged[index]?.body ?? '')).toEqual(comparable(body))
  }
})

const comparable = (text: string): string[] =>
  text
    .replaceAll(/ # \{.*$/gm, '')
    .split('\n')
    .filter(Boolean)
    .map(sortLabels)
    .toSorted()

const sortLabels = (line: string): string =>
  line.replace(/\{(.*)\}/, (_, labels: string) => `{${labels.split(',').toSorted().join(',')}}`)

test('counters and histograms of several processes add up, gauges stay each its own', async () => {
  const snapshots = await Promise.all([measured(2).snapshot(), measured(3).snapshot()])
  const labelled = snapshots.map((snapshot, index) => labelGauges(snapshot, { worker: String(index + 1) }))
  const metrics = createMetrics(quiet)
  metrics.addSource(async () => mergeSnapshots(labelled))
  const { body } = await metrics.exposition(undefined)
  expect(body).toContain('counter_x_total{service="counter",kind="a\\"\\n"} 5')
  expect(body).toMatch(/http_server_request_duration_seconds_count\{.*\} 5$/m)
  expect(body).toMatch(/http_server_request_duration_seconds_bucket\{.*le="0\.005".*\} 5$/m)
  expect(body).toMatch(/http_server_request_duration_seconds_bucket\{.*le="0\.0025".*\} 0$/m)
  expect(body).toContain('http_server_requests_in_flight{service="counter",worker="1"} 2')
  expect(body).toContain('http_server_requests_in_flight{service="counter",worker="2"} 3')
})

test('counts come without any gauge being asked', async () => {
  const metrics = measured(2)
  metrics.gauge({
    name: 'counter_dear',
    help: 'costs much to ask',
    collect: () => expect.fail('it was asked'),
  })
  const counts = await metrics.counts()
  expect(counts.map(({ name }) => name)).toContain('counter_x_total')
  expect(counts).toEqual(cumulative(counts))
})

test('of a process that has ended only what it counted stays', async () => {
  const names = cumulative(await measured(1).snapshot()).map(({ type }) => type)
  expect(new Set(names)).toEqual(new Set(['counter', 'histogram']))
})
