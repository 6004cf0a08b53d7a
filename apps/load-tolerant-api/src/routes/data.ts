import type { Routes } from '@ballast/service'
import { Type } from 'typebox'
import { Turns } from '../admission/turns.ts'
import { answerFixedError } from '../fixed-errors.ts'
import type { HotRead } from '../hot-read.ts'
import type { Timestamps } from '../timestamps.ts'
import type { Writes } from '../writes.ts'

const id = Type.String({ pattern: '^[0-9a-f]{24}$' })
const Answer = Type.Object({
  status: Type.Union([Type.Literal('success'), Type.Literal('queued')]),
  writes: Type.Array(id, { minItems: 5, maxItems: 5 }),
  reads: Type.Array(Type.Union([id, Type.Null()]), { minItems: 5, maxItems: 5 }),
  timestamp: Type.String({ format: 'date-time' }),
})
export const FixedError = Type.Object({ status: Type.Literal('error'), message: Type.String() })

/** `GET /api/data`: five writes, then five reads. The answer is put together by hand, in the key order of the original. */
const Query = Type.Object({
  durable: Type.Optional(
    Type.Union([Type.Literal('queue'), Type.Literal('store')], {
      description:
        'where the documents are when the answer comes: durably in the queue (default), or in the document store',
    }),
  ),
})
const queued = 202

export const dataRoute: Routes<{ writes: Writes; hotRead: HotRead; timestamps: Timestamps }> = async (
  app,
  { writes, hotRead, timestamps },
) => {
  const turns = new Turns()
  app.server.on('connection', () => turns.arrived())
  app.get(
    '/api/data',
    {
      config: { role: 'writer' },
      onResponse(request, _reply, done) {
        turns.answered(request.raw.socket)
        done()
      },
      // HEAD is sent by probes and link checkers, which want no five documents written.
      exposeHeadRoute: false,
      errorHandler: answerFixedError,
      // The schema documents; the handler sends a string, which Fastify leaves as it is.
      schema: {
        summary: 'Write five documents and read five',
        description:
          'Answers once the queue holds the five documents durably; the Durability header says how. With durable=store once the document store has them, or 202 with the status queued when that takes too long.',
        querystring: Query,
        response: {
          200: Type.Unsafe<string>(Answer),
          [queued]: Type.Unsafe<string>(Answer),
          500: FixedError,
          503: FixedError,
          504: FixedError,
        },
      },
    },
    async ({ query }, reply) => {
      // On refusals too: whoever kept any answer would think he had written.
      void reply.header('cache-control', 'no-store')
      const { group, durability, inTime } = await (query.durable === 'store'
        ? writes.acceptAndStore()
        : writes.accept())
      if (!inTime) void reply.code(queued)
      const reads = await hotRead.asJson()
      return reply
        .header('durability', durability)
        .header('content-type', 'application/json; charset=utf-8')
        .send(
          `{"status":"${inTime ? 'success' : 'queued'}","writes":${writes.idsAsJson(group)},"reads":${reads},"timestamp":"${timestamps(group.atMs)}"}`,
        )
    },
  )
}
