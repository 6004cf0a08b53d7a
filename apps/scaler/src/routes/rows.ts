import type { Routes } from '@ballast/service'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { Type, type Static } from 'typebox'
import { problems } from '../problems.ts'
import { RowId } from './row-id.ts'

const Row = Type.Object({
  id: Type.String(),
  value: Type.Union([Type.Number(), Type.Null()], { description: 'null: an error row, which is not ticked' }),
  lastTick: Type.String({ description: 'unix seconds' }),
  worker: Type.Union([Type.String(), Type.Null()], { description: 'who ticked it last' }),
})

const Page = Type.Object({
  count: Type.Integer({ description: 'rows in the table' }),
  rows: Type.Array(Row),
  next: Type.Union([Type.String(), Type.Null()], { description: 'give it as `after` for the next page' }),
})

const Query = Type.Object({
  after: Type.Optional(RowId),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
})

const Which = Type.Object(
  {
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    ids: Type.Optional(Type.Array(RowId, { minItems: 1, maxItems: 10_000 })),
  },
  { additionalProperties: false },
)

export const rowRoutes: Routes<{ store: WorkItemStore }> = async (app, { store }) => {
  app.get(
    '/v1/rows',
    {
      config: { role: 'reader' },
      schema: { summary: 'Rows in order of ids', querystring: Query, response: { 200: Page } },
    },
    async (request) => {
      const { after, limit = 100 } = request.query
      const [count, rows] = await Promise.all([store.rows.count(), store.rows.list(after, limit)])
      return {
        count,
        rows: rows.map(({ id, value, lastTick, worker }) => ({
          id,
          value: value ?? null,
          lastTick: String(lastTick),
          worker: worker ?? null,
        })),
        next: rows.length === limit ? (rows.at(-1)?.id ?? null) : null,
      }
    },
  )

  app.post(
    '/v1/rows',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Add rows, by number or by id. Ids that exist are left alone, so a list of ids may be sent again',
        body: Which,
        response: { 201: Type.Object({ added: Type.Integer() }) },
      },
    },
    async (request, reply) => reply.code(201).send({ added: await store.rows.add(which(request.body)) }),
  )

  app.delete(
    '/v1/rows',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Remove rows by id, or a number of them from the start of the order of ids',
        body: Which,
        response: { 200: Type.Object({ removed: Type.Integer() }) },
      },
    },
    async (request) => ({ removed: await store.rows.remove(which(request.body)) }),
  )
}

function which({ count, ids }: Static<typeof Which>): { count: number } | { ids: readonly string[] } {
  if (count !== undefined && ids === undefined) return { count }
  if (ids !== undefined && count === undefined) return { ids }
  throw problems.create('count-or-ids', 'send {"count": 10} or {"ids": ["..."]}')
}
