import type { Suite } from '../case.ts'
import { program, startServer } from '../server.ts'
import { throughput } from '../throughput.ts'

export const service: Suite = {
  name: 'service',
  summary: 'what an HTTP service costs before it does any work',
  cases: [
    {
      name: 'service/no-op-64',
      unit: 'requests/s',
      higherIsBetter: true,
      compares: 'the no-op handler of our server with bare Fastify, 64 connections; 1 would be free of cost',
      async open(stack, { measureMs }) {
        const ours = await startServer(stack, program('servers/no-op.ts'))
        const peer = await startServer(stack, program('servers/bare-fastify.ts'))
        const figure = (url: string) => () =>
          throughput({ url, connections: 64, durationMs: measureMs, request: { method: 'GET', path: '/' } })
        return { ours: figure(ours), peer: figure(peer) }
      },
    },
  ],
}
