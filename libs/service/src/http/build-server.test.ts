import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { build } from '../../test/fixture/app.ts'
import { serviceProblems } from '../service-problems.ts'
import { buildServer } from './build-server.ts'
import { testServer } from './test-server.ts'
import { takeOver } from './take-over.ts'

const json = { 'content-type': 'application/json' }

test('a route without a role fails at registration', async () => {
  await using app = await buildServer(testServer('test'))
  expect(() => app.get('/x', () => 1)).toThrow('GET /x: config.role must be one of public, reader, writer')
})

test.each([
  ['broken JSON', { method: 'POST', url: '/things/a', headers: json, payload: '{"amount":' }, 400, 'malformed-body'],
  ['an empty body', { method: 'POST', url: '/things/a', headers: json, payload: '' }, 400, 'malformed-body'],
  ['a wrong type', { method: 'POST', url: '/things/a', payload: { amount: '5' } }, 400, 'invalid-request'],
  ['a wrong query', { method: 'GET', url: '/slow?ms=soon' }, 400, 'invalid-request'],
  [
    'a large body',
    { method: 'POST', url: '/things/a', headers: json, payload: ' '.repeat(2 ** 20 + 1) },
    413,
    'body-too-large',
  ],
  [
    'XML',
    { method: 'POST', url: '/things/a', headers: { 'content-type': 'text/xml' }, payload: '<a/>' },
    415,
    'unsupported-media-type',
  ],
  ['an unknown URL', { method: 'GET', url: '/nowhere' }, 404, 'not-found'],
  ['another method', { method: 'PUT', url: '/things/a' }, 405, 'method-not-allowed'],
  ['a broken escape', { method: 'GET', url: '/things/%zz' }, 400, 'malformed-url'],
  ['a long parameter', { method: 'DELETE', url: `/things/${'a'.repeat(1_025)}` }, 414, 'url-too-long'],
  ['a problem of the app', { method: 'DELETE', url: '/things/a' }, 422, 'thing-broken'],
  ['a bug', { method: 'GET', url: '/bug' }, 500, 'internal'],
] as const)('%s is a problem with its status and code', async (_what, request, status, code) => {
  await using app = await build({ server: testServer('test') })
  const answer = await app.inject(request)
  expect(answer.headers['content-type']).toContain('application/problem+json')
  expect(answer.statusCode).toBe(status)
  const body = answer.json()
  expect(body).toMatchObject({
    type: `urn:ballast:problem:${code}`,
    title: expect.stringMatching(/\w/),
    status,
    code,
    instance: request.url.split('?', 1)[0],
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  })
  expect(answer.body).not.toMatch(/internals|FST_|node_modules/)
})

test('validation says where and what', async () => {
  await using app = await build({ server: testServer('test') })
  const post = async (payload: object) => (await app.inject({ method: 'POST', url: '/things/a', payload })).json()
  await expect(post({ amount: -1 })).resolves.toMatchObject({
    detail: 'body/amount must be >= 0',
    errors: [{ in: 'body', pointer: '/amount', message: 'must be >= 0' }],
  })
  await expect(post({ amount: 1, more: 2 })).resolves.toMatchObject({
    errors: [{ in: 'body', pointer: '/more', message: 'must NOT have additional properties' }],
  })
})

test('405 names the methods in Allow; a problem brings its headers', async () => {
  await using app = await build({ server: testServer('test') })
  expect((await app.inject({ method: 'PUT', url: '/things/a' })).headers['allow']).toBe('DELETE, POST')
  expect((await app.inject({ method: 'PUT', url: '/public' })).headers['allow']).toBe('GET')
  expect((await app.inject({ method: 'DELETE', url: '/things/a' })).headers['retry-after']).toBe('1')
})

test('HEAD is answered where the route says so, and carries out no other GET', async () => {
  await using app = await build({ server: testServer('test') })
  const refused = await app.inject({ method: 'HEAD', url: '/public' })
  expect([refused.statusCode, refused.headers['allow']]).toEqual([405, 'GET'])
  const health = await app.inject({ method: 'HEAD', url: '/livez' })
  expect([health.statusCode, health.body]).toEqual([200, ''])
})

function fail(): never {
  throw serviceProblems.create('not-found', 'not here')
}

test('fixed bodies of a public contract: for all problems, for one plugin, for one route', async () => {
  await using app = await buildServer({
    ...testServer('test'),
    answerProblem: (problem, _request, reply) => {
      void reply.code(problem.status).send({ status: 'error', message: problem.message })
    },
  })
  const config = { role: 'public' } as const
  app.get('/all', { config }, fail)
  app.get(
    '/route',
    { config, errorHandler: (_error, _request, reply) => void reply.code(404).send({ err_msg: 'gone' }) },
    fail,
  )
  await app.register(async (plugin) => {
    plugin.setErrorHandler((_error, _request, reply) => reply.code(404).send('plugin'))
    plugin.get('/plugin', { config }, fail)
  })
  const body = async (url: string) => (await app.inject(url)).body
  await expect(body('/all')).resolves.toBe('{"status":"error","message":"not here"}')
  await expect(body('/nowhere')).resolves.toBe('{"status":"error","message":"GET /nowhere leads nowhere."}')
  await expect(body('/route')).resolves.toBe('{"err_msg":"gone"}')
  await expect(body('/plugin')).resolves.toBe('plugin')
})

test('a reply that is taken over has its ids, as all others have', async () => {
  await using app = await buildServer(testServer('test'))
  app.get('/own', { config: { role: 'public' } }, (_request, reply) => void takeOver(reply).end('own'))
  app.get('/usual', { config: { role: 'public' } }, () => 'usual')
  for (const url of ['/own', '/usual', '/nowhere']) {
    const { headers } = await app.inject({ url, headers: { 'x-request-id': 'order-7' } })
    expect([url, headers['x-request-id']]).toEqual([url, 'order-7'])
    expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  }
})

test('a response schema does not thin out problems', async () => {
  await using app = await buildServer(testServer('test'))
  const response = { 404: Type.Object({ nothing: Type.Optional(Type.String()) }) }
  app.get('/x', { config: { role: 'public' }, schema: { response } }, fail)
  expect((await app.inject('/x')).json()).toMatchObject({ code: 'not-found' })
})

test('requests are counted by route pattern, never by raw URL, and leave the gauge when they end', async () => {
  const server = testServer('test')
  await using app = await build({ server })
  await app.inject({ method: 'POST', url: '/things/one', payload: { amount: 1 } })
  await app.inject({ method: 'POST', url: '/things/two', payload: { amount: 1 } })
  await app.inject('/random/123')
  const { body } = await server.metrics.exposition(undefined)
  expect(body).toContain('_count{service="test",method="POST",route="/things/:name",status="200"} 2')
  expect(body).toContain('_count{service="test",method="GET",route="unknown",status="404"} 1')
  expect(body).not.toMatch(/things\/one|random/)
  expect(body).toContain('http_server_requests_in_flight{service="test"} 0')
})

async function openapiDocument() {
  await using app = await build({ server: testServer('test') })
  await app.ready()
  return app.swagger()
}

test('the OpenAPI document is the same each time, and shows roles, security and problems', async () => {
  const first = await openapiDocument()
  expect(await openapiDocument()).toEqual(first)
  expect(first).toMatchObject({
    openapi: '3.1.0',
    paths: {
      '/things/{name}': {
        post: {
          'x-role': 'writer',
          security: [{ token: [] }, { certificate: [] }],
          responses: { default: { $ref: '#/components/responses/Problem' } },
        },
      },
    },
    components: { securitySchemes: { certificate: { type: 'mutualTLS' } } },
  })
  expect(first.info.description).toContain('| `thing-broken` | 422 |')
  expect(Object.keys(first.paths ?? {})).not.toContain('/livez')
})
