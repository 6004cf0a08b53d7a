import type { Routes } from '@ballast/service'
import { Type } from 'typebox'
import { askStore } from '../ask-store.ts'
import { answerFixedError } from '../fixed-errors.ts'
import type { FindWrite } from '../find-write.ts'
import { problems } from '../problems.ts'
import { FixedError } from './data.ts'

const Params = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{24}$' }) })
const Answer = Type.Object({
  id: Type.String(),
  state: Type.Union([Type.Literal('queued'), Type.Literal('stored'), Type.Literal('dead')]),
  reason: Type.Optional(Type.String({ description: 'why it is dead' })),
  document: Type.Optional(Type.Record(Type.String(), Type.Any())),
})

/** `GET /api/writes/:id`: what became of an acknowledged write. */
export const writeRoute: Routes<{ findWrite: FindWrite }> = async (app, { findWrite }) => {
  app.get(
    '/api/writes/:id',
    {
      config: { role: 'reader' },
      errorHandler: answerFixedError,
      schema: {
        summary: 'Where a write is: queued, stored or dead',
        params: Params,
        response: { 200: Answer, 404: FixedError, 503: FixedError },
      },
    },
    async (request) => {
      const { id } = request.params
      const found = await askStore(request, () => findWrite(id))
      if (found === undefined) throw problems.create('unknown-write', `No write ${id} is stored, queued or dead.`)
      return { id, ...found }
    },
  )
}
