import type { Routes } from '@ballast/service'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { Type } from 'typebox'

const Plan = Type.Object({
  version: Type.String({ description: 'grows with every change of the map' }),
  slots: Type.Integer(),
  unowned: Type.Integer({ description: 'slots without a live owner' }),
  moving: Type.Integer({ description: 'slots on their way to another owner' }),
  workers: Type.Array(
    Type.Object({ name: Type.String(), alive: Type.Boolean(), slots: Type.Integer(), targetSlots: Type.Integer() }),
  ),
  last: Type.Union([
    Type.Object({
      atMs: Type.Number(),
      cause: Type.String({ description: 'left, joined, uneven or strategy' }),
      rows: Type.Integer(),
      movedSlots: Type.Integer(),
      movedRows: Type.Integer(),
      minimumRows: Type.Integer({ description: 'the fewest rows that any plan must move for this balance' }),
      maxOverMean: Type.Number({ description: 'largest load over its fair share' }),
    }),
    Type.Null(),
  ]),
})

/** How far back the last plan is looked for. */
const historyLimit = 1_000

export const planRoutes: Routes<{ store: WorkItemStore }> = async (app, { store }) => {
  app.get(
    '/v1/plan',
    {
      config: { role: 'reader' },
      schema: { summary: 'Who owns how much, and what the last plan moved', response: { 200: Plan } },
    },
    async () => {
      const [{ version, owners, targets }, members, history] = await Promise.all([
        store.leaders.map(),
        store.leaders.members(),
        store.leaders.history(historyLimit),
      ])
      const owned = countNames(owners)
      const targeted = countNames(targets)
      const alive = new Set(members.filter((member) => member.alive).map(({ name }) => name))
      const planned = history.find(({ kind }) => kind === 'planned')
      const number = (key: string) => Number(planned?.detail[key] ?? 0)
      return {
        version: String(version),
        slots: owners.length,
        unowned: owners.filter((owner) => owner === undefined || !alive.has(owner)).length,
        moving: owners.filter((owner, slot) => owner !== targets[slot]).length,
        workers: members
          .filter(({ name }) => alive.has(name) || owned.has(name))
          .map(({ name }) => ({
            name,
            alive: alive.has(name),
            slots: owned.get(name) ?? 0,
            targetSlots: targeted.get(name) ?? 0,
          })),
        last:
          planned === undefined
            ? null
            : {
                atMs: planned.atMs,
                cause: String(planned.detail['cause']),
                rows: number('rows'),
                movedSlots: number('movedSlots'),
                movedRows: number('movedRows'),
                minimumRows: number('minimumRows'),
                maxOverMean: number('maxOverMean'),
              },
      }
    },
  )
}

function countNames(names: readonly (string | undefined)[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
