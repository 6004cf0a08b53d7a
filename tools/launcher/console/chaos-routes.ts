import { type Routes, serviceProblems } from '@ballast/service'
import { Type } from 'typebox'
import type { Chaos } from './chaos.ts'
import type { Witness } from './witness.ts'

const Blow = Type.Union([Type.Literal('kill'), Type.Literal('pause'), Type.Literal('resume')])

export interface ChaosOptions {
  readonly chaos: Chaos
  readonly witness: Witness
  /** Services that have replicas. */
  readonly replicated: ReadonlySet<string>
  readonly setReplicas: (service: string, count: number) => Promise<void>
}

/** `POST /chaos/processes/{name}/{kill|pause|resume}`, `POST /chaos/replicas/{service}/{count}`, `POST /chaos/witness/{start|stop}`: only for who has the token. */
export const chaosRoutes: Routes<ChaosOptions> = async (app, { chaos, witness, replicated, setReplicas }) => {
  app.post(
    '/chaos/processes/:name/:blow',
    {
      config: { role: 'admin' },
      schema: { hide: true, params: Type.Object({ name: Type.String(), blow: Blow }) },
    },
    async ({ params: { name, blow } }) => {
      if (!(await chaos.strike(name, blow))) throw serviceProblems.create('not-found', `No process "${name}" runs now.`)
      return { name, blow }
    },
  )
  app.post(
    '/chaos/replicas/:service/:count',
    {
      config: { role: 'admin' },
      schema: {
        hide: true,
        params: Type.Object({ service: Type.String(), count: Type.Integer({ minimum: 1, maximum: 16 }) }),
      },
    },
    async ({ params: { service, count } }) => {
      if (!replicated.has(service)) throw serviceProblems.create('not-found', `${service} has no workers here.`)
      await setReplicas(service, count)
      return { service, count }
    },
  )
  app.post(
    '/chaos/witness/:what',
    {
      config: { role: 'admin' },
      schema: { hide: true, params: Type.Object({ what: Type.Union([Type.Literal('start'), Type.Literal('stop')]) }) },
    },
    async ({ params: { what } }) => {
      if (what === 'start') witness.start()
      else await witness.stop()
      return { running: witness.report.running }
    },
  )
}
