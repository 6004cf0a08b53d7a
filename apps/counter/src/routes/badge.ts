import type { Routes } from '@ballast/service'
import { Type } from 'typebox'
import { badgeSvg } from '../badge.ts'
import type { CounterDeps } from '../deps.ts'
import { entityTag, isFresh } from '../preconditions.ts'
import { CounterParams, nameOf } from './counter.ts'
import { NotModified } from './write-headers.ts'

// Without control characters, which XML cannot hold.
const Label = Type.String({ pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff\\ufffe\\uffff]{1,64}$' })

/** `GET /v1/counters/{namespace}/{name}/badge.svg`: a picture of the value. */
export const badgeRoutes: Routes<CounterDeps> = async (app, { store }) => {
  app.get(
    '/v1/counters/:namespace/:name/badge.svg',
    {
      config: { role: 'reader' },
      exposeHeadRoute: true,
      schema: {
        summary: 'The value as an SVG badge; 0 when there is no such counter',
        params: CounterParams,
        querystring: Type.Object({
          label: Type.Optional(Label),
          color: Type.String({ pattern: '^[0-9a-fA-F]{3}([0-9a-fA-F]{3})?$', default: '007ec6' }),
        }),
        response: {
          200: { description: 'The badge.', content: { 'image/svg+xml': { schema: Type.String() } } },
          304: NotModified,
        },
      },
    },
    async (request, reply) => {
      const { label = request.params.name, color } = request.query
      const [counter] = await store.read([nameOf(request.params)])
      const version = counter?.version ?? 0n
      void reply.header('etag', entityTag(version)).header('cache-control', 'no-cache')
      if (isFresh(request.headers['if-none-match'], version)) return reply.code(304).send(null)
      const svg = badgeSvg({ label, value: String(counter?.value ?? 0n), color: `#${color}` })
      // What is in the picture came from whoever made the link: it must not run anything when it is opened by itself.
      void reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      return reply.type('image/svg+xml; charset=utf-8').send(svg)
    },
  )
}
