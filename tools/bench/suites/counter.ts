import { join } from 'node:path'
import { type CounterStore, openCounterStore } from '@ballast/state-stores/counter'
import { app } from '../../platform/services/app.ts'
import type { BenchCase, Suite } from '../case.ts'
import { closedLoop } from '../closed-loop.ts'
import { benchFolder } from '../folder.ts'
import { startServer } from '../server.ts'
import { throughput } from '../throughput.ts'

export const counter: Suite = {
  name: 'counter',
  summary: 'durable increments: group commit against one by one, and a file against memory over HTTP',
  cases: [groupCommit(64), fileOverHttp(256)],
}

const increment = (store: CounterStore) => () => store.commit([{ kind: 'add', name: 'default/counter', by: 1n }])

function groupCommit(callers: number): BenchCase {
  return {
    name: `counter/group-commit-${callers}`,
    unit: 'increments/s',
    higherIsBetter: true,
    compares: `${callers} callers who share commits with one who waits for each of his, same file store, every one synced`,
    async open(stack, { measureMs }) {
      const folder = await benchFolder(stack)
      const ours = await openCounterStore(`file:${join(folder, 'ours.json')}`)
      const peer = await openCounterStore(`file:${join(folder, 'peer.json')}`)
      stack.use(ours)
      stack.use(peer)
      return {
        ours: () => closedLoop(callers, measureMs, increment(ours)),
        peer: () => closedLoop(1, measureMs, increment(peer)),
      }
    },
  }
}

function fileOverHttp(connections: number): BenchCase {
  return {
    name: `counter/http-${connections}-vs-memory`,
    unit: 'increments/s',
    higherIsBetter: true,
    compares: `POST / on the durable file with the same service on memory, ${connections} connections; 1 would be free durability`,
    async open(stack, { measureMs }) {
      const folder = await benchFolder(stack)
      const start = (store: string): Promise<string> =>
        startServer(stack, app('counter', 'serve', 0, ['--store', store]))
      const ours = await start(`file:${join(folder, 'counter.json')}`)
      const peer = await start('memory:')
      const request = { method: 'POST', path: '/' }
      const figure = (url: string) => () => throughput({ url, connections, durationMs: measureMs, request })
      return { ours: figure(ours), peer: figure(peer) }
    },
  }
}
