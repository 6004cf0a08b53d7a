import { app } from '../../../platform/services/app.ts'
import type { BenchCase } from '../../case.ts'
import { benchFolder } from '../../folder.ts'
import { startServer } from '../../server.ts'
import { throughput } from '../../throughput.ts'

/** 100 bytes, 16 of which differ from request to request. */
const message = `{unique}${'-'.repeat(84)}`

export function durablePost(connections: number): BenchCase {
  return {
    name: `message-store/post-${connections}-vs-memory`,
    unit: 'messages/s',
    higherIsBetter: true,
    compares: `POST /messages on LMDB, synced, with the same service on memory, ${connections} connections; 1 would be free durability`,
    async open(stack, { measureMs }) {
      const folder = await benchFolder(stack)
      const start = (store: string): Promise<string> =>
        startServer(stack, app('message-store', 'serve', 0, ['--store', store]))
      const ours = await start(`lmdb:${folder}`)
      const peer = await start('memory:')
      const headers = { 'content-type': 'application/json' }
      const request = { method: 'POST', path: '/messages', headers, body: JSON.stringify({ message }) }
      const figure = (url: string) => () => throughput({ url, connections, durationMs: measureMs, request })
      return { ours: figure(ours), peer: figure(peer) }
    },
  }
}
