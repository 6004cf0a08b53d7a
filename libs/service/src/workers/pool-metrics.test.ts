import { createMetrics, cumulative, mergeSnapshots, type Snapshot } from '@ballast/metrics'
import { expect, test } from 'vitest'
import { PoolMetrics } from './pool-metrics.ts'

const counted = async (value: number, open = 0): Promise<Snapshot> => {
  const metrics = createMetrics({ service: 'x', processMetrics: false })
  metrics.counter({ name: 'x_done_total', help: 'done' }).inc(value)
  metrics.gauge({ name: 'x_open', help: 'open' }).set(open)
  return metrics.snapshot()
}
const never = (): Promise<Snapshot> => new Promise(() => {})
const values = (snapshot: Snapshot, name: string) =>
  mergeSnapshots([snapshot])
    .filter((metric) => metric.name === name)
    .flatMap((metric) => metric.values.map(({ labels, value }) => ({ ...labels, service: undefined, value })))

test('what a worker counted stays when it has ended, what it was does not', async () => {
  const pool = new PoolMetrics({ service: 'x' })
  pool.join(1, '1', () => counted(5, 3))
  pool.join(2, '2', () => counted(7))
  expect(values(await pool.collect(), 'x_done_total')).toMatchObject([{ value: 12 }])
  pool.leave(1)
  pool.join(3, '1', () => counted(1, 9))
  const after = await pool.collect()
  expect(values(after, 'x_done_total')).toMatchObject([{ value: 13 }])
  expect(values(after, 'x_open').toSorted((a, b) => b.value - a.value)).toMatchObject([
    { worker: '1', value: 9 },
    { worker: '2', value: 0 },
  ])
})

test('one that does not answer is waited for once, counted with what it pushed, and told of', async () => {
  const pool = new PoolMetrics({ service: 'my-api', waitMs: 30 })
  pool.join(1, '1', never)
  pool.push(1, await counted(4))
  pool.join(2, '2', () => counted(1))
  for (const _ of [1, 2]) {
    const snapshot = await pool.collect()
    expect(values(snapshot, 'x_done_total')).toMatchObject([{ value: 5 }])
    expect(values(snapshot, 'my_api_workers')).toMatchObject([
      { state: 'running', value: 1 },
      { state: 'unresponsive', value: 1 },
    ])
  }
  pool.leave(1)
  expect(values(await pool.collect(), 'x_done_total')).toMatchObject([{ value: 5 }])
})

test('what a worker pushes leaves the gauges of its last answer as they are', async () => {
  const pool = new PoolMetrics({ service: 'x', waitMs: 30 })
  const { promise: answered, resolve: answer } = Promise.withResolvers<Snapshot>()
  pool.join(1, '1', () => answered)
  pool.join(2, '2', never)
  const collected = pool.collect()
  answer(await counted(4, 3))
  await answered
  pool.push(1, cumulative(await counted(5, 9)))
  const snapshot = await collected
  expect(values(snapshot, 'x_done_total')).toMatchObject([{ value: 5 }])
  expect(values(snapshot, 'x_open')).toMatchObject([{ worker: '1', value: 3 }])
})

test('a worker that ends while it is asked does not fail the scrape', async () => {
  const pool = new PoolMetrics({ service: 'x' })
  pool.join(1, '1', () => Promise.reject(new Error('it has ended')))
  expect(values(await pool.collect(), 'x_workers')).toMatchObject([{ value: 1 }, { value: 0 }])
})
