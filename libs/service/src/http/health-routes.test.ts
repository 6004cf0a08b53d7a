import { expect, test } from 'vitest'
import { Health } from '../health.ts'
import { buildServer } from './build-server.ts'
import { testServer } from './test-server.ts'

async function probe(health: Health, url: string, accept = '*/*'): Promise<[status: number, body: string]> {
  await using app = await buildServer(testServer('test', { health }))
  const { statusCode, body } = await app.inject({ url, headers: { accept } })
  return [statusCode, body]
}

test('ready only after the start, while every check passes, and until the drain', async () => {
  const health = new Health()
  expect(await probe(health, '/readyz')).toEqual([
    503,
    '[-]started failed: the service has not finished starting\nreadyz check failed\n',
  ])
  expect(await probe(health, '/livez')).toEqual([200, 'ok\n'])
  health.started = true
  expect(await probe(health, '/readyz')).toEqual([200, 'ok\n'])
  health.add({ name: 'store', gates: 'ready', check: () => Promise.reject(new Error('connection refused')) })
  expect(await probe(health, '/readyz')).toEqual([503, '[-]store failed: connection refused\nreadyz check failed\n'])
  expect(await probe(health, '/startupz')).toEqual([200, 'ok\n'])
  health.draining = 'told to stop by SIGTERM'
  expect((await probe(health, '/readyz'))[1]).toContain('[-]draining failed: told to stop by SIGTERM\n')
  expect(await probe(health, '/healthz')).toEqual([200, 'ok\n'])
})

test('a check that gates nothing is shown to people and holds nobody back', async () => {
  const health = new Health()
  health.started = true
  health.add({ name: 'cache', gates: 'none', check: () => Promise.reject(new Error('cold')) })
  expect(await probe(health, '/readyz?verbose')).toEqual([
    200,
    '[+]started ok\n[+]draining ok\n[-]cache failed (for information): cold\nreadyz check passed\n',
  ])
  const [, body] = await probe(health, '/readyz', 'application/json')
  expect(JSON.parse(body)).toMatchObject({ status: 'pass', checks: { cache: [{ status: 'warn', output: 'cold' }] } })
})

test('a check that gates the start does so for both probes', async () => {
  const health = new Health()
  health.started = true
  let migrated = false
  const check = () => {
    if (!migrated) throw new Error('migrating')
  }
  health.add({ name: 'schema', gates: 'startup', check })
  expect((await probe(health, '/startupz'))[0]).toBe(503)
  expect((await probe(health, '/readyz'))[0]).toBe(503)
  migrated = true
  expect((await probe(health, '/startupz'))[0]).toBe(200)
})

test('a check that hangs fails after its time, and is asked once however many probes wait for it', async () => {
  const health = new Health()
  health.started = true
  let asked = 0
  health.add({ name: 'slow', gates: 'ready', timeoutMs: 20, check: () => new Promise(() => void asked++) })
  const results = await Promise.all([health.probe('readyz'), health.probe('readyz'), health.probe('readyz')])
  expect(results.map(({ ok, checks }) => [ok, checks.at(-1)?.reason])).toEqual(
    Array.from({ length: 3 }, () => [false, 'no answer within 20 ms']),
  )
  expect(asked).toBe(1)
  expect(() => health.add({ name: 'slow', gates: 'none', check: () => true })).toThrow(
    'two health checks are called slow',
  )
})

test('an app may answer a health route itself', async () => {
  await using app = await buildServer({ ...testServer('test'), healthRoutes: { healthz: false } })
  app.get('/healthz', { config: { role: 'public' } }, () => ({ status: 'ok' }))
  expect((await app.inject('/healthz')).json()).toEqual({ status: 'ok' })
  expect((await app.inject('/livez')).body).toBe('ok\n')
})
