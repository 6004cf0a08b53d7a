import { randomUUID } from 'node:crypto'
import type { Role, ServerOptions } from '@ballast/service'
import { expect, test } from 'vitest'
import { testApp } from './test-app.ts'

const longMs = 60_000

async function withWorkers(...names: string[]) {
  const { app, store } = await testApp()
  const leader = await store.leaders.campaign('control', longMs)
  if (leader === undefined) throw new Error('no leader')
  for (const name of names) {
    await store.workers.register({ name, incarnation: randomUUID() }, { weight: 1, ttlMs: longMs, zone: 'z1' })
  }
  const moves = Array.from({ length: store.slots }, (_, slot) => ({ slot, to: names[slot % names.length] ?? '' }))
  await store.leaders.publish(leader, moves, 'worker-0 joined')
  await store.leaders.takeOver(leader)
  return { app, store, leader }
}

test('all is paused and goes on, both as often as one likes', async () => {
  const { app, store } = await withWorkers('worker-0')
  const post = async (url: string, payload?: object) =>
    (await app.inject({ method: 'POST', url, ...(payload && { payload }) })).json()
  const running = { paused: false, sinceMs: null, resuming: false }
  expect((await app.inject('/v1/pause')).json()).toEqual(running)
  const paused = await post('/v1/pause')
  expect(paused).toMatchObject({ paused: true, sinceMs: expect.any(Number) })
  expect(await post('/v1/pause')).toEqual(paused)
  const id = randomUUID()
  await store.rows.add({ ids: [id] })
  expect((await app.inject(`/v1/explain/${id}`)).json().why).toMatch(
    /but all is paused since 20\d\d-.*POST \/v1\/resume/,
  )
  expect(await post('/v1/resume', {})).toEqual(running)
  expect(await post('/v1/resume', { catchUp: true })).toEqual(running)
  expect((await store.leaders.history(9)).map(({ kind }) => kind)).toEqual(['resumed', 'paused'])
})

test('while a resume is under way a pause is refused, and may be tried again', async () => {
  const { app } = await testApp((store) => ({
    ...store,
    operator: { ...store.operator, pause: async () => 'resuming' as const },
  }))
  const response = await app.inject({ method: 'POST', url: '/v1/pause' })
  expect([response.statusCode, response.json().code, response.headers['retry-after']]).toEqual([409, 'resuming', '1'])
})

test('explain: why, from whom, and that the owner restarts', async () => {
  const { app, store, leader } = await withWorkers('worker-0')
  const id = randomUUID()
  await store.rows.add({ ids: [id] })
  const explain = async () => (await app.inject(`/v1/explain/${id}`)).json()
  expect(await explain()).toMatchObject({ owner: 'worker-0', cause: 'worker-0 joined', history: [] })
  const owner = await store.workers.register({ name: 'worker-0', incarnation: randomUUID() }, { weight: 1, ttlMs: 1 })
  await store.workers.leave(owner, { restartWithinMs: longMs })
  expect((await explain()).why).toContain('which worker-0 owns, who restarts')
  await store.workers.register({ name: 'worker-1', incarnation: randomUUID() }, { weight: 1, ttlMs: longMs })
  const moves = Array.from({ length: store.slots }, (_, slot) => ({ slot, to: 'worker-1' }))
  await store.leaders.publish(leader, moves, 'worker-0 left or was drained')
  await store.leaders.takeOver(leader)
  expect(await explain()).toMatchObject({
    owner: 'worker-1',
    why: expect.stringMatching(/which worker-1 owns: worker-0 left or was drained$/),
    history: [{ owner: 'worker-0', cause: 'worker-0 joined' }],
  })
})

test('what-if compares strategies and changes nothing', async () => {
  const { app, store } = await withWorkers('worker-0', 'worker-1')
  await store.rows.add({ count: 2_000 })
  const before = await store.leaders.map()
  const answer = (await app.inject('/v1/what-if?add=1')).json()
  expect(answer).toMatchObject({ rows: 2_000, workers: 2, joining: ['worker-2'] })
  expect(answer.strategies.map(({ strategy }: { strategy: string }) => strategy)).toEqual([
    'sticky',
    'bounded',
    'ring',
    'rendezvous',
  ])
  const one = (await app.inject('/v1/what-if?remove=worker-1&strategy=sticky')).json()
  expect(one.strategies).toMatchObject([{ strategy: 'sticky', active: true, maxOverMean: 1 }])
  expect(one.strategies[0].movedRows).toBe(one.strategies[0].minimumRows)
  const active = (await app.inject('/v1/what-if?remove=worker-1&strategy=active')).json()
  expect(active.strategies).toEqual(one.strategies)
  const nobody = (await app.inject('/v1/what-if?remove=worker-0,worker-1')).json()
  expect([answer.unownedRows, one.unownedRows, nobody.unownedRows]).toEqual([0, 0, 2_000])
  await expect(store.leaders.map()).resolves.toEqual(before)
  const codes = await Promise.all(
    ['remove=nobody', 'strategy=best', 'join=worker-1', 'add=-1', 'add=x', 'add=100000'].map(async (query) => {
      const response = await app.inject(`/v1/what-if?${query}`)
      return `${response.statusCode} ${response.json().code}`
    }),
  )
  expect(codes).toEqual([
    '404 worker-not-found',
    '400 strategy-unknown',
    '400 invalid-request',
    '400 invalid-request',
    '400 invalid-request',
    '400 invalid-request',
  ])
})

test('limits are changed for all, and returned to what the options say', async () => {
  const { app, store } = await testApp()
  const patch = async (payload: object) => app.inject({ method: 'PATCH', url: '/v1/limits', payload })
  expect((await app.inject('/v1/limits')).json()).toMatchObject({ minWorkers: 1, maxWorkers: 10, autoscale: true })
  expect((await patch({ minWorkers: 3, autoscale: false })).json()).toMatchObject({ minWorkers: 3, autoscale: false })
  const disagreeing = await patch({ maxWorkers: 2 })
  expect([disagreeing.statusCode, disagreeing.json().code]).toEqual([400, 'limits-disagree'])
  expect((await patch({ minWorkers: null, maxWorkers: 2 })).json()).toMatchObject({ minWorkers: 1, maxWorkers: 2 })
  await store.operator.setLimits({ minWorkers: 20 })
  const other = await patch({ churnBudgetRows: 7 })
  expect([other.statusCode, other.json().churnBudgetRows], 'nothing to do with what is set').toEqual([200, 7])
  for (const wrong of [{}, { minWorkers: -1 }, { rowsPerWorker: 0 }, { autoscale: 'yes' }, { minimum: 1 }]) {
    expect((await patch(wrong)).statusCode, JSON.stringify(wrong)).toBe(400)
  }
})

const as = (role: Role): Partial<ServerOptions> => ({
  authenticator: { scheme: 'tokens', identify: () => ({ name: 'somebody', role }) },
})

async function allowed(role: Role): Promise<string[]> {
  const { app } = await testApp(undefined, as(role))
  const requests = [
    ['GET', '/v1/workers'],
    ['GET', '/v1/rows'],
    ['GET', '/v1/what-if'],
    ['GET', '/v1/pause'],
    ['GET', '/v1/limits'],
    ['POST', '/v1/workers/w/drain'],
    ['POST', '/v1/pause'],
    ['POST', '/v1/resume', {}],
    ['POST', '/v1/rows', { count: 1 }],
    ['DELETE', '/v1/rows', { count: 1 }],
    ['PATCH', '/v1/limits', { minWorkers: 1 }],
  ] as const
  const open: string[] = []
  for (const [method, url, payload] of requests) {
    const { statusCode } = await app.inject({ method, url, ...(payload && { payload }) })
    if (statusCode !== 403) open.push(`${method} ${url}`)
  }
  return open
}

test('a reader sees, an operator drains and pauses, an admin changes rows and limits', async () => {
  const reader = await allowed('reader')
  expect(reader).toEqual(
    ['/v1/workers', '/v1/rows', '/v1/what-if', '/v1/pause', '/v1/limits'].map((url) => `GET ${url}`),
  )
  const operator = await allowed('operator')
  expect(operator.slice(reader.length)).toEqual(['POST /v1/workers/w/drain', 'POST /v1/pause', 'POST /v1/resume'])
  const admin = await allowed('admin')
  expect(admin.slice(operator.length)).toEqual(['POST /v1/rows', 'DELETE /v1/rows', 'PATCH /v1/limits'])
})

test('a client that is too fast gets 429 and is told when to come again', async () => {
  const { app } = await testApp(undefined, { rateLimit: { perSecond: 1, burst: 2 } })
  const answers = []
  for (let i = 0; i < 3; i++) answers.push(await app.inject('/v1/workers'))
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429])
  expect(answers[2]?.headers['retry-after']).toBe('1')
  expect(answers[2]?.json().code).toBe('rate-limited')
})

test('the autoscaler: what it wants, why, and what that would move', async () => {
  const { app: resting } = await testApp()
  expect((await resting.inject('/v1/autoscale')).json()).toEqual({
    target: 'local',
    paused: false,
    dryRun: false,
    status: null,
    cost: null,
  })
  const status = { rows: 900, workers: 2, wanted: 1, reason: '1 are enough', leaving: [] }
  const { app, store } = await testApp(undefined, {}, () => status)
  const leader = await store.leaders.campaign('control', longMs)
  if (leader === undefined) throw new Error('no leader')
  const names = ['worker-9', 'worker-10']
  for (const name of names) {
    await store.workers.register({ name, incarnation: randomUUID() }, { weight: 1, ttlMs: longMs })
  }
  const moves = Array.from({ length: store.slots }, (_, slot) => ({ slot, to: names[slot % 3 === 0 ? 0 : 1] ?? '' }))
  await store.leaders.publish(leader, moves)
  await store.rows.add({ count: 900 })
  await store.operator.setLimits({ autoscale: false })
  const { cost, paused } = (await app.inject('/v1/autoscale')).json()
  expect(paused).toBe(true)
  expect(cost.movedRows, 'those of worker-10, the last').toBe(cost.minimumRows)
  expect(cost.movedRows).toBeGreaterThan(500)
})
