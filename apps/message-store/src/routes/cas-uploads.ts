import type { Routes } from '@ballast/service'
import type { FastifyRequest, FastifySchema } from 'fastify'
import { Type } from 'typebox'
import { paramsOf } from '../transfer/entry-routes.ts'
import { takeRawBodies } from '../transfer/raw-bodies.ts'
import { digestOf, UploadAnswers, type UploadPlace } from '../uploads/answers.ts'
import type { Uploads } from '../uploads/uploads.ts'

const place: UploadPlace = { family: 'cas', scope: 'cas', path: '/cas/uploads' }
const url = '/cas/uploads/:id'

const idOf = (request: FastifyRequest): string => paramsOf(request)['id'] ?? ''

const params = Type.Object({ id: Type.String() })
const range = 'Location says where it is, Range which bytes are there for good.'
const progress = (status: number) => ({ [status]: { description: range, type: 'null' } })
const headers = Type.Object({
  'content-range': Type.Optional(
    Type.String({ description: '<first byte>-<last byte>; another first byte than the next one is 416.' }),
  ),
})

const schemas: Readonly<Record<'begin' | 'status' | 'append' | 'finish' | 'cancel', FastifySchema>> = {
  begin: { summary: 'Begin an upload that may be continued', response: progress(202) },
  status: { summary: 'How far an upload is', params, response: progress(204) },
  append: { summary: 'Add the next bytes', params, headers, response: progress(202) },
  finish: {
    summary: 'Add the last bytes, if there are any, and store all of them under their digest',
    params,
    headers,
    querystring: Type.Object({ digest: Type.String({ description: 'sha256:<64 lower-case hex digits>' }) }),
    response: { 201: { description: 'Stored, durably; Location says where.', type: 'null' } },
  },
  cancel: { summary: 'Give an upload up', params, response: { 204: { description: 'It is gone.', type: 'null' } } },
}

/** Uploads of bytes for /cas that go on after a cut, as those of OCI registries do. */
export const casUploadRoutes: Routes<{ readonly uploads: Uploads }> = async (app, { uploads }) => {
  takeRawBodies(app)
  const answers = new UploadAnswers(uploads)
  const writing = { role: 'writer', streams: true } as const

  app.post('/cas/uploads', { config: writing, schema: schemas.begin }, (_request, reply) => answers.begin(place, reply))
  app.get(url, { config: { role: 'writer' }, schema: schemas.status }, (request, reply) =>
    answers.status(place, idOf(request), reply),
  )
  app.patch(url, { config: writing, schema: schemas.append }, (request, reply) =>
    answers.append(place, idOf(request), request, reply),
  )
  app.put(url, { config: writing, schema: schemas.finish }, async (request, reply) => {
    const digest = digestOf(request)
    await answers.finish(place, idOf(request), request, { name: { namespace: 'cas', key: digest }, digest })
    return reply.code(201).header('location', `/cas/${digest}`).header('etag', `"${digest}"`).send()
  })
  app.delete(url, { config: { role: 'writer' }, schema: schemas.cancel }, (request, reply) =>
    answers.cancel(place, idOf(request), reply),
  )
}
