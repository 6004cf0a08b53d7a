import { join } from 'node:path'
import { app } from '../../platform/services/app.ts'
import type { Suite } from '../case.ts'
import { benchFolder } from '../folder.ts'
import { program, startServer } from '../server.ts'
import { systemCases } from './load-tolerant-api/cases.ts'
import { throughput } from '../throughput.ts'

const connections = 100

export const loadTolerantApi: Suite = {
  name: 'load-tolerant-api',
  summary: 'five durable writes and five reads a request: shared steps against one by one',
  cases: [
    ...systemCases,
    {
      name: `load-tolerant-api/data-${connections}`,
      unit: 'requests/s',
      higherIsBetter: true,
      compares: `GET /api/data with the handler that awaits each write and read, same stores, ${connections} connections`,
      async open(stack, { measureMs }) {
        const folder = await benchFolder(stack)
        const stores = (side: string): [string, string] => [
          `lmdb:${join(folder, side, 'stream')}`,
          `lmdb:${join(folder, side, 'documents')}`,
        ]
        const [stream, documents] = stores('ours')
        // Nobody drains on either side, so the queue must hold all that is measured.
        const bounds = ['--queue-max-entries', '1000000000', '--queue-max-bytes', '1000GiB']
        const flags = ['--stream', stream, '--documents', documents, ...bounds]
        const ours = await startServer(stack, app('load-tolerant-api', 'api', 0, flags))
        const peer = await startServer(stack, program('servers/one-by-one.ts', ...stores('peer')))
        const request = { method: 'GET', path: '/api/data' }
        const figure = (url: string) => () => throughput({ url, connections, durationMs: measureMs, request })
        return { ours: figure(ours), peer: figure(peer) }
      },
    },
  ],
}
