import type { Routes } from '@ballast/service'
import { longestWorkerName, type WorkItemStore } from '@ballast/state-stores/work-item'
import { Type } from 'typebox'
import { problems } from '../problems.ts'

const Worker = Type.Object({
  name: Type.String(),
  alive: Type.Boolean(),
  draining: Type.Boolean(),
  away: Type.Boolean({ description: 'restarts: keeps its rows, and is given none' }),
  weight: Type.Number(),
  zone: Type.String(),
  epoch: Type.String({ description: 'number of its lease; grows with every change of what it owns' }),
  slots: Type.Integer(),
  rows: Type.Integer({ description: 'as its last heartbeat said' }),
  lastTickMs: Type.Number({
    description: 'time of its last tick on the clock of the database, unix ms; 0 before the first',
  }),
  longestGapTicks: Type.Integer({ description: 'the most ticks it had to credit to one row at once; 1 is regular' }),
})

const Workers = Type.Object({
  leader: Type.Union([Type.Object({ name: Type.String(), epoch: Type.String(), alive: Type.Boolean() }), Type.Null()]),
  workers: Type.Array(Worker),
})

const Named = Type.Object({ name: Type.String({ minLength: 1, maxLength: longestWorkerName }) })

export const workerRoutes: Routes<{ store: WorkItemStore }> = async (app, { store }) => {
  app.get(
    '/v1/workers',
    { config: { role: 'reader' }, schema: { summary: 'The workers and the leader', response: { 200: Workers } } },
    async () => {
      const [leader, members] = await Promise.all([store.leaders.current(), store.leaders.members()])
      return {
        leader: leader === undefined ? null : { ...leader, epoch: String(leader.epoch) },
        workers: members.map((member) => ({ ...member, epoch: String(member.epoch) })),
      }
    },
  )

  app.post(
    '/v1/workers/:name/drain',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Take all rows away from a worker; it keeps running. A restart ends the drain. May be repeated',
        params: Named,
        response: { 202: Type.Object({ name: Type.String(), draining: Type.Literal(true) }) },
      },
    },
    async (request, reply) => {
      const { name } = request.params
      if (!(await store.workers.drain({ name }))) {
        throw problems.create(
          'worker-not-found',
          `no live worker is called ${JSON.stringify(name)}; see GET /v1/workers`,
        )
      }
      await store.leaders.record('drain', { worker: name })
      return reply.code(202).send({ name, draining: true as const })
    },
  )
}
