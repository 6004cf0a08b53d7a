import type { Routes } from '@ballast/service'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { Type } from 'typebox'
import { problems } from '../problems.ts'

const State = Type.Object({
  paused: Type.Boolean({ description: 'nothing is ticked' }),
  sinceMs: Type.Union([Type.Number(), Type.Null()]),
  resuming: Type.Boolean({ description: 'rows are being prepared to go on' }),
})

const Resume = Type.Object(
  {
    catchUp: Type.Optional(
      Type.Boolean({ default: false, description: 'credit the time of the pause too, instead of skipping it' }),
    ),
  },
  { additionalProperties: false },
)

export const pauseRoutes: Routes<{ store: WorkItemStore }> = async (app, { store }) => {
  const state = async () => {
    const { pausedSinceMs, resuming } = await store.operator.pauseState()
    return { paused: pausedSinceMs !== undefined, sinceMs: pausedSinceMs ?? null, resuming }
  }

  app.get(
    '/v1/pause',
    { config: { role: 'reader' }, schema: { summary: 'Whether all is paused', response: { 200: State } } },
    state,
  )

  app.post(
    '/v1/pause',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Stop all ticks, everywhere; when this is answered, no tick runs any more. May be repeated',
        response: { 200: State },
      },
    },
    async () => {
      const outcome = await store.operator.pause()
      if (outcome === 'resuming') {
        throw problems.create('resuming', 'a resume is under way and has to end first; try again in a second', {
          headers: { 'retry-after': '1' },
        })
      }
      if (outcome === 'paused') await store.leaders.record('paused', {})
      return state()
    },
  )

  app.post(
    '/v1/resume',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Go on. The time of the pause is skipped, what was due before it is not. May be repeated',
        body: Resume,
        response: { 200: State },
      },
    },
    async (request) => {
      const { pausedSinceMs } = await store.operator.pauseState()
      if (pausedSinceMs !== undefined) {
        const { catchUp = false } = request.body
        await store.operator.resume({ catchUp })
        await store.leaders.record('resumed', { catchUp, pausedSinceMs })
      }
      return state()
    },
  )
}
