import type { Routes } from '@ballast/service'
import type { Explanation, PauseState, WorkItemStore } from '@ballast/state-stores/work-item'
import { Type } from 'typebox'
import { problems } from '../problems.ts'
import { RowId } from './row-id.ts'

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

const Explained = Type.Object({
  id: Type.String(),
  value: Type.Union([Type.Number(), Type.Null()]),
  lastTick: Type.String({ description: 'unix seconds' }),
  behindTicks: Type.Integer({ description: 'ticks that are due; up to 1 is regular' }),
  slot: Type.Integer(),
  owner: nullable('who may tick it now'),
  ownerAlive: Type.Boolean(),
  ownerSinceMs: Type.Union([Type.Number(), Type.Null()]),
  epoch: nullable("of the owner's lease"),
  target: nullable('who should own it, by the last plan'),
  why: Type.String(),
  cause: nullable('what made the plan give it to its owner'),
  history: Type.Array(
    Type.Object({ owner: Type.String(), sinceMs: Type.Number(), cause: Type.Union([Type.String(), Type.Null()]) }),
    { description: 'up to five former owners of its slot, the latest first' },
  ),
})

export const explainRoutes: Routes<{ store: WorkItemStore }> = async (app, { store }) => {
  app.get(
    '/v1/explain/:id',
    {
      config: { role: 'reader' },
      schema: {
        summary: 'Who owns a row, and why',
        params: Type.Object({ id: RowId }),
        response: { 200: Explained },
      },
    },
    async (request) => {
      const { id } = request.params
      const [found, pause] = await Promise.all([store.rows.explain(id), store.operator.pauseState()])
      if (found === undefined) throw problems.create('row-not-found', `there is no row ${id}; see GET /v1/rows`)
      return {
        id: found.id,
        value: found.value ?? null,
        lastTick: String(found.lastTick),
        behindTicks: behindTicks(found),
        slot: found.slot,
        owner: found.owner ?? null,
        ownerAlive: found.ownerAlive,
        ownerSinceMs: found.ownerSinceMs ?? null,
        epoch: found.epoch === undefined ? null : String(found.epoch),
        target: found.target ?? null,
        why: explain(found, pause),
        cause: found.cause ?? null,
        history: found.formerOwners.map(({ cause, ...former }) => ({ ...former, cause: cause ?? null })),
      }
    },
  )
}

function behindTicks({ nowMs, lastTick }: Explanation): number {
  return Math.max(0, Math.floor(nowMs / 1000) - Number(lastTick))
}

/** One sentence for whoever looks at a row that does not move. */
export function explain(row: Explanation, { pausedSinceMs }: Pick<PauseState, 'pausedSinceMs'>): string {
  const place = `its id hashes to slot ${row.slot}`
  if (row.value === undefined) return `${place}, but its value is NULL: set a value and it is ticked again`
  if (pausedSinceMs !== undefined) {
    return `${place}, but all is paused since ${new Date(pausedSinceMs).toISOString()}: POST /v1/resume goes on`
  }
  if (row.owner === undefined) return `${place}, which nobody owns yet: is a control plane running, and a worker?`
  if (!row.ownerAlive) {
    const heir = row.target === undefined || row.target === row.owner ? 'a live worker' : row.target
    return `${place}, which ${row.owner} owns but has given no sign of life; ${heir} takes it over, and credits the ticks that are due`
  }
  if (row.ownerAway && row.target === row.owner) {
    return `${place}, which ${row.owner} owns, who restarts; its ticks are credited when it is back, or by others when it is not in time`
  }
  if (row.target !== undefined && row.target !== row.owner) {
    return `${place}, which ${row.owner} hands over to ${row.target} after its next tick`
  }
  return row.cause === undefined
    ? `${place}, which ${row.owner} owns`
    : `${place}, which ${row.owner} owns: ${row.cause}`
}
