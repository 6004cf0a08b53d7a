import { randomUUID } from 'node:crypto'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { expect, test } from 'vitest'
import { testApp } from './test-app.ts'

const longMs = 60_000

async function withWorker() {
  const { app, store } = await testApp()
  const leader = await store.leaders.campaign('control', longMs)
  if (leader === undefined) throw new Error('no leader')
  const identity = { name: 'worker-0', incarnation: randomUUID() }
  await store.workers.register(identity, { weight: 1, ttlMs: longMs })
  const every = Array.from({ length: store.slots }, (_, slot) => ({ slot, to: 'worker-0' }))
  await store.leaders.publish(leader, every)
  await store.leaders.takeOver(leader)
  return { app, store, leader, identity }
}

test('rows are added by number or by id, listed in pages and removed', async () => {
  const { app } = await testApp()
  const ids = Array.from({ length: 3 }, () => randomUUID()).toSorted()
  const added = await app.inject({ method: 'POST', url: '/v1/rows', payload: { ids } })
  expect([added.statusCode, added.json()]).toEqual([201, { added: 3 }])
  expect((await app.inject({ method: 'POST', url: '/v1/rows', payload: { ids } })).json()).toEqual({ added: 0 })
  const first = (await app.inject('/v1/rows?limit=2')).json()
  expect(first).toMatchObject({
    count: 3,
    rows: [{ id: ids[0], value: 0, worker: null }, { id: ids[1] }],
    next: ids[1],
  })
  const second = (await app.inject(`/v1/rows?limit=2&after=${first.next}`)).json()
  expect(second).toMatchObject({ rows: [{ id: ids[2] }], next: null })
  expect((await app.inject({ method: 'POST', url: '/v1/rows', payload: { count: 4 } })).json()).toEqual({ added: 4 })
  expect((await app.inject({ method: 'DELETE', url: '/v1/rows', payload: { ids } })).json()).toEqual({ removed: 3 })
  expect((await app.inject({ method: 'DELETE', url: '/v1/rows', payload: { count: 9 } })).json()).toEqual({
    removed: 4,
  })
})

test.each([{}, { count: 1, ids: [randomUUID()] }])('%j is neither a count nor ids', async (payload) => {
  const { app } = await testApp()
  const response = await app.inject({ method: 'POST', url: '/v1/rows', payload })
  expect([response.statusCode, response.json().code]).toEqual([400, 'count-or-ids'])
})

test.each([{ count: 0 }, { count: 1.5 }, { count: 1e9 }, { ids: ['x'] }, { ids: [] }, { rows: 1 }])(
  '%j is refused',
  async (payload) => {
    const { app } = await testApp()
    const response = await app.inject({ method: 'POST', url: '/v1/rows', payload })
    expect([response.statusCode, response.json().code]).toEqual([400, 'invalid-request'])
  },
)

test('an id in the form of a URN, which the database does not know, is refused everywhere', async () => {
  const { app } = await testApp()
  const urn = `urn:uuid:${randomUUID()}`
  const payload = { ids: [urn] }
  const refused = [
    await app.inject({ method: 'POST', url: '/v1/rows', payload }),
    await app.inject({ method: 'DELETE', url: '/v1/rows', payload }),
    await app.inject(`/v1/rows?after=${urn}`),
    await app.inject(`/v1/explain/${urn}`),
  ]
  for (const response of refused) expect([response.statusCode, response.json().code]).toEqual([400, 'invalid-request'])
})

test('workers, plan and drain', async () => {
  const { app, store } = await withWorker()
  const { workers, leader } = (await app.inject('/v1/workers')).json()
  expect(leader).toEqual({ name: 'control', epoch: '1', alive: true })
  expect(workers).toMatchObject([{ name: 'worker-0', alive: true, draining: false, slots: store.slots }])
  await store.leaders.record('planned', {
    cause: 'joined',
    rows: 9,
    movedSlots: 3,
    movedRows: 2,
    minimumRows: 1,
    maxOverMean: 1,
  })
  expect((await app.inject('/v1/plan')).json()).toMatchObject({
    slots: store.slots,
    unowned: 0,
    moving: 0,
    workers: [{ name: 'worker-0', slots: store.slots, targetSlots: store.slots }],
    last: { cause: 'joined', movedRows: 2, minimumRows: 1 },
  })
  const drain = await app.inject({ method: 'POST', url: '/v1/workers/worker-0/drain' })
  expect([drain.statusCode, drain.json()]).toEqual([202, { name: 'worker-0', draining: true }])
  expect((await app.inject('/v1/workers')).json().workers[0].draining).toBe(true)
  const nobody = await app.inject({ method: 'POST', url: '/v1/workers/nobody/drain' })
  expect([nobody.statusCode, nobody.json().code]).toEqual([404, 'worker-not-found'])
})

test('explain says who owns a row and why', async () => {
  const { app, store, leader, identity } = await withWorker()
  const id = randomUUID()
  expect((await app.inject(`/v1/explain/${id}`)).json().code).toBe('row-not-found')
  await store.rows.add({ ids: [id] })
  const why = async (): Promise<string> => (await app.inject(`/v1/explain/${id}`)).json().why
  await expect(why()).resolves.toMatch(/hashes to slot \d+, which worker-0 owns$/)
  await store.workers.register({ name: 'worker-1', incarnation: randomUUID() }, { weight: 1, ttlMs: longMs })
  await store.leaders.publish(
    leader,
    Array.from({ length: store.slots }, (_, slot) => ({ slot, to: 'worker-1' })),
  )
  await expect(why()).resolves.toContain('hands over to worker-1 after its next tick')
  await store.workers.leave(identity)
  await expect(why()).resolves.toContain('no sign of life; worker-1 takes it over')
})

test('stats and history', async () => {
  const { app, store } = await testApp()
  await store.leaders.record('taken-over', { slots: 5, unownedMs: 3_100 })
  expect((await app.inject('/v1/stats')).json()).toEqual({
    ticks: { audits: 3, rows: 2, rowsInTable: 5, doubledTicks: '0', lostTicks: '0', examples: [] },
    longestGapTicks: 0,
    longestUnownedMs: 3_100,
  })
  expect((await app.inject('/v1/history?limit=1')).json().events).toMatchObject([
    { kind: 'taken-over', detail: { slots: 5, unownedMs: 3_100 } },
  ])
})

function refused(code: string): NotAppliedError {
  return new NotAppliedError(`PostgreSQL refused: ${code}`, { cause: Object.assign(new Error(code), { code }) })
}

test.each([
  [new NotAppliedError('PostgreSQL is unreachable'), 503, 'store-unavailable'],
  [refused('55P03'), 503, 'store-unavailable'],
  [refused('25006'), 503, 'store-unavailable'],
  [refused('42501'), 500, 'store-refused'],
  [refused('23514'), 500, 'store-refused'],
  [new OutcomeUnknownError('PostgreSQL is unreachable: ECONNRESET'), 504, 'outcome-unknown'],
])('a store that fails with %s is %i %s', async (error, status, code) => {
  const { app } = await testApp((store) => ({
    ...store,
    rows: {
      ...store.rows,
      async add() {
        throw error
      },
    },
  }))
  const response = await app.inject({ method: 'POST', url: '/v1/rows', payload: { count: 1 } })
  expect([response.statusCode, response.json().code]).toEqual([status, code])
  expect(response.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
})
