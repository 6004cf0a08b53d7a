import type { Routes } from '@ballast/service'
import { namePartPattern } from '@ballast/state-stores/counter'
import { Type } from 'typebox'
import { AddBody, addIntent, removeIntent, SetBody, setIntent } from '../counter-operation.ts'
import type { CounterDeps } from '../deps.ts'
import { entityTag, isFresh } from '../preconditions.ts'
import { wantsMinimal } from '../prefer.ts'
import { problems } from '../problems.ts'
import { AcceptedView, AppliedView, appliedView, CounterView, counterView } from '../representation.ts'
import { acceptBuffered } from './accept-buffered.ts'
import { acceptEmptyBody } from './empty-body.ts'
import { Minimal, NotModified, WriteHeaders } from './write-headers.ts'
import { writeOne } from './write-one.ts'

export const NamePart = Type.String({ pattern: `^${namePartPattern}$` })
export const CounterParams = Type.Object({ namespace: NamePart, name: NamePart })

export const nameOf = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`

/** `/v1/counters/{namespace}/{name}`: one named counter. */
export const counterRoutes: Routes<CounterDeps> = async (app, { store, writer, buffer }) => {
  acceptEmptyBody(app)
  const url = '/v1/counters/:namespace/:name'
  app.get(
    url,
    {
      config: { role: 'reader' },
      exposeHeadRoute: true,
      schema: { summary: 'Read a counter', params: CounterParams, response: { 200: CounterView, 304: NotModified } },
    },
    async (request, reply) => {
      const name = nameOf(request.params)
      const [counter] = await store.read([name])
      if (counter === undefined)
        throw problems.create('counter-not-found', `${name} does not exist. The first addition makes it.`)
      void reply.header('etag', entityTag(counter.version)).header('cache-control', 'no-cache')
      if (isFresh(request.headers['if-none-match'], counter.version)) return reply.code(304).send(null)
      return counterView(counter)
    },
  )
  app.post(
    `${url}/add`,
    {
      config: { role: 'writer' },
      // Without a body: add 1.
      preValidation: async (request) => void (request.body ??= {}),
      schema: {
        summary: 'Add to a counter, which counts from 0 when it does not exist',
        params: CounterParams,
        headers: WriteHeaders,
        body: AddBody,
        response: { 200: AppliedView, 202: AcceptedView, 204: Minimal },
      },
    },
    async (request, reply) => {
      const name = nameOf(request.params)
      const accepted = acceptBuffered(buffer, request, reply, name)
      if (accepted !== undefined) return accepted
      const outcome = await writeOne(writer, request, reply, addIntent(name, request.body))
      if (wantsMinimal(request.headers.prefer))
        return reply.code(204).header('preference-applied', 'return=minimal').send(null)
      return appliedView(name, outcome)
    },
  )
  app.put(
    url,
    {
      config: { role: 'writer' },
      schema: {
        summary: 'Set a counter',
        params: CounterParams,
        headers: WriteHeaders,
        body: SetBody,
        response: { 200: AppliedView, 204: Minimal },
      },
    },
    async (request, reply) => {
      const name = nameOf(request.params)
      const outcome = await writeOne(writer, request, reply, setIntent(name, request.body))
      if (wantsMinimal(request.headers.prefer))
        return reply.code(204).header('preference-applied', 'return=minimal').send(null)
      return appliedView(name, outcome)
    },
  )
  app.delete(
    url,
    {
      config: { role: 'writer' },
      schema: {
        summary: 'Remove a counter',
        params: CounterParams,
        headers: WriteHeaders,
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
    },
    async (request, reply) => {
      await writeOne(writer, request, reply, removeIntent(nameOf(request.params)))
      return reply.code(204).send(null)
    },
  )
}
