import { expect, test } from 'vitest'
import { createMetrics } from './create-metrics.ts'
import { httpServerMetrics } from './http-server-metrics.ts'

const openMetrics = 'application/openmetrics-text; version=1.0.0, text/plain;q=0.5'
const quiet = { service: 'counter', processMetrics: false }

test('Prometheus text by default, OpenMetrics when asked for, the same names in whichever order they are asked', async () => {
  const metrics = createMetrics({ ...quiet, defaultLabels: { zone: 'a' } })
  metrics.counter({ name: 'counter_commits_total', help: 'commits' }).inc(3)
  const text = `# HELP counter_commits_total commits
# TYPE counter_commits_total counter
counter_commits_total{service="counter",zone="a"} 3
`
  const open = `# HELP counter_commits commits
# TYPE counter_commits counter
counter_commits_total{service="counter",zone="a"} 3
# EOF
`
  for (const accept of [undefined, openMetrics, 'text/plain', openMetrics, '*/*']) {
    const { contentType, body } = await metrics.exposition(accept)
    expect(contentType).toMatch(
      accept === openMetrics ? /^application\/openmetrics-text; version=1/ : /^text\/plain; version=0/,
    )
    expect(body).toBe(accept === openMetrics ? open : text)
  }
  expect(await Promise.all([metrics.exposition(undefined), metrics.exposition(openMetrics)])).toMatchObject([
    { body: text },
    { body: open },
  ])
})

test('exemplars show in OpenMetrics only', async () => {
  const metrics = createMetrics(quiet)
  const { duration } = httpServerMetrics(metrics, () => 0)
  const labels = { method: 'GET', route: '/', status: 200 }
  duration.observe({ labels, value: 0.004, exemplarLabels: { trace_id: 'abc' } })
  duration.observe({ labels, value: 0.004 })
  const { body } = await metrics.exposition(openMetrics)
  expect(body).toMatch(
    /le="0\.005",service="counter",method="GET",route="\/",status="200"\} 2 # \{trace_id="abc"\} 0\.004 \d+/,
  )
  expect((await metrics.exposition(undefined)).body).not.toContain('trace_id')
})

test('a gauge that collects is asked at each scrape', async () => {
  const metrics = createMetrics(quiet)
  let open = 4
  httpServerMetrics(metrics, () => open)
  expect((await metrics.exposition(undefined)).body).toContain('http_server_requests_in_flight{service="counter"} 4')
  open = 5
  expect((await metrics.exposition(openMetrics)).body).toContain('http_server_requests_in_flight{service="counter"} 5')
})

test('the same name is the same metric; another kind under that name is refused', () => {
  const metrics = createMetrics(quiet)
  const first = metrics.counter({ name: 'counter_commits_total', help: 'commits' })
  expect(metrics.counter({ name: 'counter_commits_total', help: 'commits' })).toBe(first)
  expect(() => metrics.gauge({ name: 'counter_commits_total', help: 'commits' })).toThrow('already been registered')
})

test('buckets that do not ascend are refused', () => {
  const metrics = createMetrics(quiet)
  const create = (buckets: number[]) => () => metrics.histogram({ name: 'counter_wait_seconds', help: 'wait', buckets })
  expect(create([1, 0.5])).toThrow('histogram counter_wait_seconds: bucket bounds must ascend, got 1, 0.5')
  expect(create([0.5, 0.5])).toThrow('must ascend')
  expect(create([0.5, 1])).not.toThrow()
})

test('registries do not share anything; process metrics are there unless switched off', async () => {
  const one = createMetrics({ service: 'one' })
  const two = createMetrics({ service: 'two' })
  one.counter({ name: 'only_one_total', help: 'x' })
  expect((await two.exposition(undefined)).body).not.toContain('only_one')
  expect((await two.exposition(undefined)).body).toMatch(/^process_resident_memory_bytes\{service="two"\} \d/m)
  expect((await createMetrics(quiet).exposition(undefined)).body.trim()).toBe('')
})
