import type { Routes } from '@ballast/service'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { Type } from 'typebox'
import { tuned, type Tuning } from '../control-plane/limits.ts'
import { problems } from '../problems.ts'

const limits = {
  imbalancePermille: Type.Integer({ minimum: 0, maximum: 1_000 }),
  rebalanceIntervalMs: Type.Integer({ minimum: 250, maximum: 86_400_000 }),
  churnBudgetRows: Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: '0: no limit' }),
  autoscale: Type.Boolean({ description: 'false pauses the autoscaler' }),
  rowsPerWorker: Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
  minWorkers: Type.Integer({ minimum: 0, maximum: 10_000 }),
  maxWorkers: Type.Integer({ minimum: 1, maximum: 10_000 }),
}

const All = Type.Object(limits)
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]))
const Change = Type.Object(
  {
    imbalancePermille: orNull(limits.imbalancePermille),
    rebalanceIntervalMs: orNull(limits.rebalanceIntervalMs),
    churnBudgetRows: orNull(limits.churnBudgetRows),
    autoscale: orNull(limits.autoscale),
    rowsPerWorker: orNull(limits.rowsPerWorker),
    minWorkers: orNull(limits.minWorkers),
    maxWorkers: orNull(limits.maxWorkers),
  },
  { additionalProperties: false, minProperties: 1 },
)

export const limitRoutes: Routes<{ store: WorkItemStore; defaults: Tuning }> = async (app, { store, defaults }) => {
  app.get(
    '/v1/limits',
    { config: { role: 'reader' }, schema: { summary: 'The limits that hold now', response: { 200: All } } },
    async () => tuned(defaults, await store.operator.limits()),
  )

  app.patch(
    '/v1/limits',
    {
      config: { role: 'admin' },
      schema: {
        summary: 'Change limits for all control planes, within a second; null returns one to the option it came from',
        body: Change,
        response: { 200: All },
      },
    },
    async (request) => {
      const change = request.body
      const present = await store.operator.limits()
      const wanted: Record<string, number | boolean> = { ...present }
      for (const [name, value] of Object.entries(change)) {
        if (value === null) delete wanted[name]
        else wanted[name] = value
      }
      const { minWorkers, maxWorkers } = tuned(defaults, wanted)
      // Another change is not refused for what is set, or what the options of this control plane say.
      const bounds = 'minWorkers' in change || 'maxWorkers' in change
      if (bounds && minWorkers > maxWorkers) {
        throw problems.create('limits-disagree', `minWorkers (${minWorkers}) is above maxWorkers (${maxWorkers})`)
      }
      await store.operator.setLimits(change)
      await store.leaders.record('limits', change)
      return tuned(defaults, await store.operator.limits())
    },
  )
}
