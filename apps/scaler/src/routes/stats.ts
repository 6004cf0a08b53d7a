import type { Routes } from '@ballast/service'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { Type } from 'typebox'
import type { TickAudit } from '../control-plane/tick-audit.ts'

const Stats = Type.Object({
  ticks: Type.Object({
    audits: Type.Integer({ description: 'comparisons that this control plane has made' }),
    rows: Type.Integer({
      description:
        'rows that the last one covered: of the first --audit-max-rows, those there at both ends, with a value below the maximum',
    }),
    rowsInTable: Type.Integer({ description: 'rows there were then' }),
    doubledTicks: Type.String({ description: 'ticks credited twice; an edit that raises a value counts here too' }),
    lostTicks: Type.String(),
    examples: Type.Array(Type.String()),
  }),
  longestGapTicks: Type.Integer({ description: 'the longest that a row had to wait for a tick, in seconds' }),
  longestUnownedMs: Type.Integer({
    description: 'the longest that slots were without a live owner, in the kept history',
  }),
})

const History = Type.Object({
  events: Type.Array(
    Type.Object({ atMs: Type.Number(), kind: Type.String(), detail: Type.Record(Type.String(), Type.Unknown()) }),
  ),
})

const kept = 1_000

export const statsRoutes: Routes<{ store: WorkItemStore; audit: () => TickAudit }> = async (app, { store, audit }) => {
  app.get(
    '/v1/stats',
    { config: { role: 'reader' }, schema: { summary: 'Whether a tick was lost or doubled', response: { 200: Stats } } },
    async () => {
      const [members, history] = await Promise.all([store.leaders.members(), store.leaders.history(kept)])
      const unowned = history
        .filter(({ kind }) => kind === 'taken-over')
        .map(({ detail }) => Number(detail['unownedMs']))
      return {
        ticks: { ...audit(), examples: [...audit().examples] },
        longestGapTicks: Math.max(0, ...members.map((member) => member.longestGapTicks)),
        longestUnownedMs: Math.max(0, ...unowned),
      }
    },
  )

  app.get(
    '/v1/history',
    {
      config: { role: 'reader' },
      schema: {
        summary: 'What happened, latest first',
        querystring: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: kept, default: 100 })) }),
        response: { 200: History },
      },
    },
    async (request) => ({ events: [...(await store.leaders.history(request.query.limit ?? 100))] }),
  )
}
