import type { Routes } from '@ballast/service'
import { namePartPattern } from '@ballast/state-stores/counter'
import { Type } from 'typebox'
import type { CounterDeps } from '../deps.ts'
import { CounterView, counterView } from '../representation.ts'
import { NamePart } from './counter.ts'

const Query = Type.Object({
  namespace: Type.Optional(NamePart),
  prefix: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9._:-]{0,128}(?:/[A-Za-z0-9._:-]{0,128})?$',
      description: 'Only names that begin so: `sho` and `shop/or` find `shop/orders`.',
    }),
  ),
  after: Type.Optional(
    Type.String({ pattern: `^${namePartPattern}/${namePartPattern}$`, description: 'The `next` of the page before.' }),
  ),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
})

const Page = Type.Object({
  counters: Type.Array(CounterView),
  next: Type.Union([Type.String(), Type.Null()], {
    description: 'Give it as `after` for the next page; null: this is the last.',
  }),
})

/** `GET /v1/counters`: counters in the order of their names, a page at a time. */
export const listRoutes: Routes<CounterDeps> = async (app, { store }) => {
  app.get(
    '/v1/counters',
    {
      config: { role: 'reader' },
      exposeHeadRoute: true,
      schema: { summary: 'List counters', querystring: Query, response: { 200: Page } },
    },
    async (request) => {
      const { namespace, prefix = '', after, limit } = request.query
      const beginning = namespace === undefined ? prefix : `${namespace}/${prefix}`
      const found = await store.scan({
        ...(beginning !== '' && { prefix: beginning }),
        ...(after !== undefined && { after }),
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
      })
      const page = found.slice(0, limit)
      return { counters: page.map(counterView), next: found.length > limit ? (page.at(-1)?.name ?? null) : null }
    },
  )
}
