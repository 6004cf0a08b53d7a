import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { app } from '../../platform/services/app.ts'
import type { BenchCase, Suite } from '../case.ts'
import { benchFolder } from '../folder.ts'
import { program, startServer } from '../server.ts'
import { throughput } from '../throughput.ts'
import { fullStore, groupCommit, latency } from './counter-group-commit.ts'
import { memoryOfTokens, millionCounters } from './counter-memory.ts'

const peers = {
  memory: 'a handler on the same server that only counts in memory',
  'redis-always': 'a handler on the same server that sends INCR to a Redis of its own with appendfsync always',
}

export const counter: Suite = {
  name: 'counter',
  summary:
    'durable increments: group commit against one by one, big stores, memory, and a file against memory and Redis over HTTP',
  cases: [
    groupCommit(64),
    groupCommit(256),
    fullStore(64, 'counters'),
    fullStore(256, 'counters'),
    fullStore(64, 'tokens'),
    fullStore(256, 'tokens'),
    latency(64),
    millionCounters('start'),
    millionCounters('rss'),
    memoryOfTokens,
    overHttp(256, 'memory', () => Promise.resolve(program('servers/peer-counter.ts'))),
    overHttp(256, 'redis-always', async (stack) => {
      const redis = stack.use(await startBackend('redis', { durability: 'disk' }))
      return program('servers/peer-counter.ts', '--redis', redis.url)
    }),
  ],
}

function overHttp(
  connections: number,
  peer: keyof typeof peers,
  startPeer: (stack: AsyncDisposableStack) => Promise<readonly string[]>,
): BenchCase {
  return {
    name: `counter/http-${connections}-vs-${peer}`,
    unit: 'increments/s',
    higherIsBetter: true,
    compares: `POST / on the durable file with ${peers[peer]}; ${connections} connections`,
    async open(stack, { measureMs }) {
      const folder = await benchFolder(stack)
      const file = app('counter', 'serve', 0, ['--store', `file:${join(folder, 'counter.json')}`])
      const ours = await startServer(stack, file)
      const theirs = await startServer(stack, await startPeer(stack))
      const request = { method: 'POST', path: '/' }
      const figure = (url: string) => () => throughput({ url, connections, durationMs: measureMs, request })
      return { ours: figure(ours), peer: figure(theirs) }
    },
  }
}
