import swagger from '@fastify/swagger'
import type { ProblemType } from '../problems.ts'
import { serviceProblems } from '../service-problems.ts'
import { isRole } from '../roles.ts'
import type { App } from './app.ts'

export interface OpenApiInfo {
  readonly title: string
  readonly description: string
}

export interface DocumentOptions {
  readonly info: OpenApiInfo
  readonly version: string
  readonly problems: Readonly<Record<string, ProblemType>>
}

const problemSchema = {
  type: 'object',
  description: 'RFC 9457 problem details; `code` is stable.',
  required: ['type', 'title', 'status', 'detail', 'code'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string' },
    instance: { type: 'string' },
    traceId: { type: 'string' },
  },
}

/** Makes `app.swagger()` the OpenAPI 3.1 document of the routes that follow. Depends on nothing but the code: it can be compared. */
export async function documentRoutes(app: App, { info, version, problems }: DocumentOptions): Promise<void> {
  const codes = { ...serviceProblems.types, ...problems }
  const table = Object.entries(codes).map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        ...info,
        version,
        description: [info.description, '', '| code | status | meaning |', '|---|---|---|', ...table].join('\n'),
      },
      components: {
        securitySchemes: {
          token: { type: 'http', scheme: 'bearer', description: 'With --auth tokens.' },
          // Replaced below: OpenAPI 3.1 knows mutualTLS, the types of @fastify/swagger stop at 3.0.
          certificate: { type: 'http', scheme: 'certificate' },
        },
      },
    },
    transform: ({ schema, url, route }) => {
      const role: unknown = route.config?.role
      const documented = { ...schema, 'x-role': role }
      if (isRole(role) && role !== 'public')
        Object.assign(documented, { security: [{ token: [] }, { certificate: [] }] })
      return { schema: documented, url }
    },
    transformObject: (document) => {
      if (!('openapiObject' in document)) return document.swaggerObject
      const { openapiObject } = document
      for (const path of Object.values(openapiObject.paths ?? {})) {
        for (const operation of Object.values(path ?? {})) {
          if (typeof operation !== 'object' || !('responses' in operation)) continue
          Object.assign(operation.responses ?? {}, { default: { $ref: '#/components/responses/Problem' } })
        }
      }
      Object.assign(openapiObject.components?.securitySchemes ?? {}, {
        certificate: { type: 'mutualTLS', description: 'With --auth mtls.' },
      })
      Object.assign(openapiObject.components ?? {}, {
        responses: {
          Problem: {
            description: 'Any error: the code says which.',
            content: { 'application/problem+json': { schema: problemSchema } },
          },
        },
      })
      return openapiObject
    },
  })
  app.get('/openapi.json', { config: { role: 'public' }, schema: { hide: true }, exposeHeadRoute: true }, () =>
    app.swagger(),
  )
}
