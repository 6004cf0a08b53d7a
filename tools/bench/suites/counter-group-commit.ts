import { join } from 'node:path'
import { type CounterStore, openCounterStore } from '@ballast/state-stores/counter'
import type { BenchCase } from '../case.ts'
import { closedLoop } from '../closed-loop.ts'
import { benchFolder } from '../folder.ts'
import { fillCounters, fillTokens } from './counter-fill.ts'

const increment = (store: CounterStore) => () => store.commit([{ kind: 'add', name: 'default/counter', by: 1n }])

export function groupCommit(callers: number): BenchCase {
  return {
    name: `counter/group-commit-${callers}`,
    unit: 'increments/s',
    higherIsBetter: true,
    compares: `${callers} callers who share commits with one who waits for each of his, same file store, every one synced`,
    async open(stack, { measureMs }) {
      const folder = await benchFolder(stack)
      const ours = stack.use(await openCounterStore(`file:${join(folder, 'ours.json')}`))
      const peer = stack.use(await openCounterStore(`file:${join(folder, 'peer.json')}`))
      return {
        ours: () => closedLoop(callers, measureMs, increment(ours)),
        peer: () => closedLoop(1, measureMs, increment(peer)),
      }
    },
  }
}

const filled = 100_000

export function fullStore(callers: number, of: 'counters' | 'tokens'): BenchCase {
  return {
    name: `counter/group-commit-${callers}-100k-${of}`,
    unit: 'increments/s',
    higherIsBetter: true,
    compares: `${callers} callers on a file store with 100,000 ${of === 'tokens' ? 'live tokens' : 'counters'} with as many on an empty one`,
    async open(stack, { measureMs }) {
      const folder = await benchFolder(stack)
      const ours = stack.use(await openCounterStore(`file:${join(folder, 'ours.json')}`))
      const peer = stack.use(await openCounterStore(`file:${join(folder, 'peer.json')}`))
      await (of === 'tokens' ? fillTokens(ours, filled) : fillCounters(ours, filled))
      return {
        ours: () => closedLoop(callers, measureMs, increment(ours)),
        peer: () => closedLoop(callers, measureMs, increment(peer)),
      }
    },
  }
}

export function latency(callers: number): BenchCase {
  return {
    name: `counter/p99-${callers}`,
    unit: 'ms',
    higherIsBetter: false,
    compares: `99th percentile of a durable increment with ${callers} callers`,
    async open(stack, { measureMs }) {
      const folder = await benchFolder(stack)
      const call = increment(stack.use(await openCounterStore(`file:${join(folder, 'counter.json')}`)))
      return {
        async ours() {
          const durations: number[] = []
          await closedLoop(callers, measureMs, async () => {
            const startedMs = performance.now()
            await call()
            durations.push(performance.now() - startedMs)
          })
          return durations.toSorted((a, b) => a - b)[Math.floor(durations.length * 0.99)] ?? Infinity
        },
      }
    },
  }
}
