import { createMetrics } from '@ballast/metrics'
import { expect, test } from 'vitest'
import { mean, quantile, rate, total, type Sample } from '../sample.ts'
import { readSeries } from './read-series.ts'

const sample = (atMs: number, series: Record<string, number>): Sample => ({
  service: 'counter',
  atMs,
  series,
  state: {},
  troubles: [],
})

test('series of our own registry, by name and labels, without the label of all', async () => {
  const metrics = createMetrics({ service: 'counter', processMetrics: false })
  metrics.counter({ name: 'counter_a_total', help: 'x', labelNames: ['reason'] }).inc({ reason: 'bound' }, 3)
  metrics.gauge({ name: 'counter_b', help: 'x' }).set(2.5)
  metrics.gauge({ name: 'other_c', help: 'x' }).set(9)
  const { body } = await metrics.exposition(undefined)
  expect(readSeries(body, ['counter_'])).toEqual({ 'counter_a_total{reason="bound"}': 3, counter_b: 2.5 })
})

test('rates, means and quantiles are of what happened between two samples', async () => {
  const metrics = createMetrics({ service: 'counter', processMetrics: false })
  const seconds = metrics.histogram({ name: 'counter_s', help: 'x', buckets: [0.001, 0.01, 0.1] })
  const take = async (atMs: number): Promise<Sample> =>
    sample(atMs, readSeries((await metrics.exposition(undefined)).body, ['counter_']))
  seconds.observe(0.1)
  const before = await take(1_000)
  for (let n = 0; n < 99; n++) seconds.observe(0.005)
  seconds.observe(0.05)
  const now = await take(3_000)
  expect(rate(now, before, 'counter_s_count')).toBe(50)
  expect(mean(now, before, 'counter_s')).toBeCloseTo(0.00545)
  expect([0.5, 0.999].map((q) => quantile(now, before, 'counter_s', q))).toEqual([0.01, 0.1])
})

test('a process that was restarted has no negative rate, and a silent one no mean', () => {
  const before = sample(1_000, { counter_x_total: 10 })
  const now = sample(2_000, { counter_x_total: 1 })
  expect([rate(now, before, 'counter_x_total'), mean(now, before, 'counter_y'), total(now, 'counter_x')]).toEqual([
    undefined,
    undefined,
    0,
  ])
})
