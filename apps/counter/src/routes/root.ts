import type { Routes } from '@ballast/service'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { addIntent } from '../counter-operation.ts'
import type { CounterDeps } from '../deps.ts'
import { isFresh, entityTag } from '../preconditions.ts'
import { wantsMinimal } from '../prefer.ts'
import { acceptEmptyBody } from './empty-body.ts'
import { Minimal, NotModified, WriteHeaders } from './write-headers.ts'
import { writeOne } from './write-one.ts'

const name = 'default/counter'

const CounterBody = Type.Object({
  counter: Type.Union([Type.Integer(), Type.String()], {
    description: 'A number while JSON is exact, digits in a string beyond 2^53.',
  }),
})

/** Asks for `text/plain` and not for JSON. */
const wantsText = (accept: string | undefined): boolean =>
  accept !== undefined && accept.includes('text/plain') && !accept.includes('json')

function answer(request: FastifyRequest, reply: FastifyReply, value: bigint) {
  if (wantsText(request.headers.accept)) return reply.type('text/plain; charset=utf-8').send(`${value}\n`)
  const exact = value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
  // Serialised here: a response schema is meant for JSON answers only.
  return reply
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ counter: exact ? Number(value) : String(value) }))
}

const responses = {
  200: {
    description: 'The value.',
    content: { 'application/json': { schema: CounterBody }, 'text/plain': { schema: Type.String() } },
  },
}

/** One counter without a name, as the simplest client wants it: `POST /` counts, `GET /` reads. It is `default/counter`. */
export const rootRoutes: Routes<CounterDeps> = async (app, { store, writer }) => {
  acceptEmptyBody(app)
  app.post(
    '/',
    {
      config: { role: 'writer' },
      schema: {
        summary: 'Add 1 to the default counter',
        headers: WriteHeaders,
        response: { ...responses, 204: Minimal },
      },
    },
    async (request, reply) => {
      const outcome = await writeOne(writer, request, reply, addIntent(name, {}))
      if (wantsMinimal(request.headers.prefer))
        return reply.code(204).header('preference-applied', 'return=minimal').send(null)
      return answer(request, reply, outcome.value)
    },
  )
  app.get(
    '/',
    {
      config: { role: 'reader' },
      exposeHeadRoute: true,
      schema: {
        summary: 'Read the default counter; 0 when nobody has counted',
        response: { ...responses, 304: NotModified },
      },
    },
    async (request, reply) => {
      const [counter] = await store.read([name])
      const version = counter?.version ?? 0n
      void reply.header('etag', entityTag(version)).header('cache-control', 'no-cache')
      if (isFresh(request.headers['if-none-match'], version)) return reply.code(304).send(null)
      return answer(request, reply, counter?.value ?? 0n)
    },
  )
}
