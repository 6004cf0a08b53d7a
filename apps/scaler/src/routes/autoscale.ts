import type { Routes } from '@ballast/service'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { Type } from 'typebox'
import type { AutoscaleStatus } from '../autoscale/autoscaler.ts'
import { tuned, type Tuning } from '../control-plane/limits.ts'
import type { Strategy } from '../control-plane/strategy.ts'
import { joiningNames } from '../control-plane/joining.ts'
import { whatIf } from '../control-plane/what-if.ts'

/** The autoscaler of this process, as far as the API shows it. */
export interface Autoscaling {
  readonly target: string
  readonly dryRun: boolean
  /** Undefined where another control plane leads. */
  readonly status: () => AutoscaleStatus | undefined
}

const Answer = Type.Object({
  target: Type.String(),
  paused: Type.Boolean({ description: 'by the limit `autoscale`' }),
  dryRun: Type.Boolean(),
  status: Type.Union([
    Type.Object({
      rows: Type.Integer(),
      workers: Type.Integer(),
      wanted: Type.Integer(),
      reason: Type.String(),
      leaving: Type.Array(Type.String(), { description: 'workers that give their rows away, to be gone then' }),
    }),
    Type.Null({ description: 'this control plane does not lead' }),
  ]),
  cost: Type.Union([
    Type.Object({ movedRows: Type.Integer(), minimumRows: Type.Integer(), maxOverMean: Type.Number() }),
    Type.Null(),
  ]),
})

interface Parts {
  readonly store: WorkItemStore
  readonly strategy: Strategy
  readonly zones: 'weights' | 'spread'
  readonly defaults: Tuning
  readonly autoscaling: Autoscaling
}

export const autoscaleRoutes: Routes<Parts> = async (app, { store, strategy, zones, defaults, autoscaling }) => {
  /** What it would move to have as many workers as are wanted. */
  const costOf = async ({ workers, wanted, leaving }: AutoscaleStatus) => {
    const [members, { targets }, counts] = await Promise.all([
      store.leaders.members(),
      store.leaders.map(),
      store.leaders.estimateRows(),
    ])
    const living = members.filter(({ alive, draining }) => alive && !draining)
    // Not yet said who goes: the highest in order of names of equal length, which is that of their numbers.
    const byNumber = living
      .map(({ name }) => name)
      .toSorted((a, b) => b.length - a.length || (a < b ? 1 : -1))
      .slice(0, Math.max(0, workers - wanted))
    const remove = leaving.length > 0 ? [...leaving] : byNumber
    const present = members.filter(({ alive }) => alive).map(({ name }) => name)
    const joining = joiningNames(present, { count: wanted - workers })
    const common = { members: living, targets, counts, zones, active: strategy, asked: [strategy] }
    const [answer] = whatIf({ ...common, joining, remove })
    if (answer === undefined) return null
    const { movedRows, minimumRows, maxOverMean } = answer
    return { movedRows, minimumRows, maxOverMean }
  }

  app.get(
    '/v1/autoscale',
    {
      config: { role: 'reader' },
      schema: {
        summary: 'How many workers are wanted, why, and what it costs to get there',
        response: { 200: Answer },
      },
    },
    async () => {
      const { target, dryRun } = autoscaling
      const status = autoscaling.status() ?? null
      const { autoscale } = tuned(defaults, await store.operator.limits())
      return {
        target,
        dryRun,
        paused: !autoscale,
        status: status && { ...status, leaving: [...status.leaving] },
        cost: status && (await costOf(status)),
      }
    },
  )
}
