import { takeOver, type Routes } from '@ballast/service'
import { Type } from 'typebox'
import type { CounterDeps } from '../deps.ts'
import { problems } from '../problems.ts'
import type { Streams } from '../stream/streams.ts'
import { CounterParams, nameOf } from './counter.ts'

export interface EventDeps extends CounterDeps {
  readonly streams: Streams
}

/** `GET /v1/counters/{namespace}/{name}/events`: the counter now, and whenever it changes. */
export const eventRoutes: Routes<EventDeps> = async (app, { store, streams }) => {
  app.get(
    '/v1/counters/:namespace/:name/events',
    {
      config: { role: 'reader' },
      schema: {
        summary: 'Follow a counter by server-sent events',
        params: CounterParams,
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ description: 'The version the reader has: it is not sent again.' }),
          ),
        }),
        response: {
          200: {
            description:
              '`event: counter` with the counter as data and its version as id, or `event: absent`. A reader that is too slow for all states gets the latest.',
            content: { 'text/event-stream': { schema: Type.String() } },
          },
        },
      },
    },
    async (request, reply) => {
      // Before the store is read: many who come at once are not let in while each waits for it.
      const release = streams.reserve()
      if (release === undefined) {
        throw problems.create('too-many-streams', 'As many readers as this process takes are connected. Come back.', {
          headers: { 'retry-after': '5' },
        })
      }
      try {
        const name = nameOf(request.params)
        const [counter] = await store.read([name])
        const last = /^[1-9][0-9]{0,18}$/.exec(request.headers['last-event-id'] ?? '')?.[0]
        const raw = takeOver(reply)
        // He may have gone while the store was read; then nobody would tell of his end.
        if (raw.destroyed) return
        raw.writeHead(200, {
          'content-type': 'text/event-stream; charset=utf-8',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        })
        // There may be nothing to show for long.
        raw.flushHeaders()
        streams.add(raw, name, counter, last === undefined ? undefined : BigInt(last))
      } finally {
        release()
      }
    },
  )
}
