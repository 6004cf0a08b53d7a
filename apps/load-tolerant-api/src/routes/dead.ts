import type { Routes } from '@ballast/service'
import type { WriteStream } from '@ballast/state-stores/stream'
import { Type } from 'typebox'
import { askStore, changeStore } from '../ask-store.ts'
import { summaryOf } from '../dead/command.ts'
import { replay } from '../dead/dead-letters.ts'

const reason = Type.Optional(Type.String({ description: 'what the reason begins with, as in "conflict"' }))
const Letter = Type.Object({
  id: Type.String(),
  reason: Type.String(),
  buriedAt: Type.String({ format: 'date-time' }),
  deliveries: Type.Integer(),
  bytes: Type.Integer(),
})
const Page = Type.Object({
  letters: Type.Array(Letter),
  next: Type.Optional(Type.String({ description: 'give it as `after` for the letters that follow' })),
})
const Replayed = Type.Object({
  replayed: Type.Integer(),
  unknown: Type.Integer(),
  full: Type.Union([Type.String(), Type.Null()], { description: 'the bound of the queue at which it stopped' }),
})

/** What no store took, and the way back into the queue. */
export const deadRoutes: Routes<{ stream: WriteStream }> = async (app, { stream }) => {
  app.get(
    '/api/dead',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Dead letters by ascending id',
        querystring: Type.Object({
          after: Type.Optional(Type.String()),
          limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
          reason,
        }),
        response: { 200: Page },
      },
    },
    async (request) => {
      const { after, limit, reason: wanted = '' } = request.query
      const page = await askStore(request, () =>
        stream.deadLetters({ limit, ...(after === undefined ? {} : { after }) }),
      )
      const letters = page.filter((letter) => letter.reason.startsWith(wanted)).map(summaryOf)
      const last = page.length >= limit ? page.at(-1)?.id : undefined
      return { letters, ...(last === undefined ? {} : { next: last }) }
    },
  )
  app.post(
    '/api/dead/replay',
    {
      config: { role: 'operator' },
      schema: {
        summary: 'Put dead letters back into the queue: one, those with a reason, or all',
        querystring: Type.Object({ id: Type.Optional(Type.String()), reason }),
        response: { 200: Replayed },
      },
    },
    (request) => changeStore(request, () => replay(stream, request.query)),
  )
}
