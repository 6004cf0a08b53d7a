import { expect, test } from 'vitest'
import { TokenAuthenticator } from '../auth/tokens.ts'
import { hash } from 'node:crypto'
import { buildServer } from './build-server.ts'
import { networkOf } from './limit-rate.ts'
import type { ServerOptions } from './server-options.ts'
import { testServer } from './test-server.ts'

const limit = { perSecond: 0.5, burst: 2 }
async function start(options: Partial<ServerOptions>) {
  const app = await buildServer({
    ...testServer('test', options),
    openapi: { title: 't', description: 'd' },
    limitsRate: true,
  })
  app.get('/x', { config: { role: 'reader' } }, () => 'x')
  return app
}

test('a client that is too fast gets 429 with the time to wait; others, health and metrics go on', async () => {
  await using app = await start({ rateLimit: limit })
  const from = (remoteAddress: string) => app.inject({ url: '/x', remoteAddress })
  expect([(await from('10.0.0.1')).statusCode, (await from('10.0.0.1')).statusCode]).toEqual([200, 200])
  const refused = await from('10.0.0.1')
  expect(refused.json()).toMatchObject({ status: 429, code: 'rate-limited' })
  expect(refused.headers['retry-after']).toBe('2')
  expect((await from('10.0.0.2')).statusCode).toBe(200)
  for (const url of ['/readyz', '/metrics', '/openapi.json']) {
    for (let n = 0; n < 4; n++) expect((await app.inject({ url, remoteAddress: '10.0.0.1' })).statusCode).toBe(200)
  }
  expect((await app.inject('/metrics')).body).toContain('http_server_rate_limited_requests_total{service="test"} 1')
})

test('who has to say who he is is limited by his name, and cannot be by those who only know his address', async () => {
  const authenticator = new TokenAuthenticator(
    ['a', 'b'].map((name) => `reader:${name}:${hash('sha256', name.repeat(40))}`).join('\n'),
    'tokens',
  )
  await using app = await start({ rateLimit: limit, authenticator })
  const as = (name: string) => app.inject({ url: '/x', headers: { authorization: `Bearer ${name.repeat(40)}` } })
  for (let n = 0; n < 5; n++) expect((await as('x')).statusCode).toBe(401)
  const answers = [await as('a'), await as('a'), await as('a'), await as('b')]
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429, 200])
})

test('off unless it is asked for', async () => {
  await using app = await start({})
  for (let n = 0; n < 20; n++) expect((await app.inject('/x')).statusCode).toBe(200)
})

test.each([
  ['10.1.2.3', '10.1.2.3'],
  ['::ffff:10.1.2.3', '10.1.2.3'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
])('%s is of %s', (ip, network) => {
  expect(networkOf(ip)).toBe(network)
})
