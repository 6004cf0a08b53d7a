import { join } from 'node:path'
import { openStream } from '@ballast/state-stores/stream'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { get, idsOf, load, type Told } from './load-client.ts'
import { start, stop, stores } from './system.ts'

const writeBytes = 2970

test('without a consumer the api goes on until the bound; then 503 with Retry-After, and nothing of it is lost', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  await using api = await start('api', [...args, '--queue-max-bytes', String(50 * writeBytes)])
  const accepted: string[] = []
  for (let index = 0; index < 50; index++) {
    const answer = await get(`${api.url}/api/data`)
    expect([answer.status, answer.headers['durability']]).toEqual([200, 'fsynced-local=?1, replicas=0'])
    accepted.push(...idsOf(answer.body))
  }
  // An answer is no line of the log.
  expect(api.process.stdout.length).toBeLessThan(10)
  const refused = await get(`${api.url}/api/data`)
  expect(refused.status).toBe(503)
  expect(refused.headers['retry-after']).toBe('60')
  expect(JSON.parse(refused.body)).toEqual({ status: 'error', message: expect.stringContaining('bytes') })
  const unready = await get(`${api.url}/readyz`)
  expect([unready.status, JSON.parse(unready.body)]).toEqual([
    503,
    { status: 'not ready', error: expect.stringContaining('queue: full') },
  ])
  expect((await get(`${api.url}/healthz`)).status).toBe(200)
  expect(JSON.parse((await get(`${api.url}/api/stats`)).body)).toMatchObject({
    total_documents: 0,
    pending_writes_in_stream: 250,
  })

  await using consumer = await start('consumer', args)
  await waitUntil(async () => (await get(`${api.url}/readyz`)).status === 200)
  expect((await get(`${api.url}/api/data`)).status).toBe(200)
  await waitUntil(async () => (await get(`${api.url}/api/stats`)).body.includes('"total_documents":255'))
  for (const id of accepted) {
    expect(JSON.parse((await get(`${api.url}/api/writes/${id}`)).body)).toMatchObject({ id, state: 'stored' })
  }
  expect(await stop(consumer)).toBe(0)
  expect(await stop(api)).toBe(0)
})

test('beyond the requests in flight the rest is refused at once, and health does not wait behind them', async () => {
  await using folder = await temporaryFolder()
  await using api = await start('api', [...stores(folder.path), '--max-in-flight', '4'])
  const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
  const done = new AbortController()
  const clients = load(() => api.url, 64, told, done.signal)
  await waitUntil(() => told.refused > 20 && told.acknowledged.length > 100)
  expect((await get(`${api.url}/healthz`)).status).toBe(200)
  done.abort()
  await clients
  expect(told.unknown).toBe(0)
  const { pending_writes_in_stream: pending } = JSON.parse((await get(`${api.url}/api/stats`)).body)
  expect(pending).toBe(told.acknowledged.length)
})

test('a consumer that is stopped finishes its batch: nothing is handed out twice, nothing waits for a time-out', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  await using api = await start('api', args)
  const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
  const done = new AbortController()
  const clients = load(() => api.url, 16, told, done.signal)
  await waitUntil(() => told.acknowledged.length > 2000)
  done.abort()
  await clients
  {
    // One entry a batch and one command a fifth of a second: it is stopped in the middle.
    const slow = ['--commands-per-second', '5', '--max-batch-bytes', '1']
    await using consumer = await start('consumer', [...args, ...slow])
    await waitUntil(async () => !(await get(`${api.url}/api/stats`)).body.includes('"total_documents":0'))
    expect(await stop(consumer)).toBe(0)
  }
  await using stream = await openStream(`lmdb:${join(folder.path, 'stream')}`)
  const rest = await stream.claim('test', { maxEntries: 10_000, maxBytes: 1e9, waitMs: 0 })
  expect(rest.length).toBeGreaterThan(0)
  expect(new Set(rest.map(({ delivery }) => delivery))).toEqual(new Set([1]))
  expect(rest).toHaveLength((await stream.backlog()).entries)
})

test('SIGTERM under load: every answer arrives, what was acknowledged is queued, exit 0', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
  {
    await using api = await start('api', args)
    const done = new AbortController()
    const clients = load(() => api.url, 32, told, done.signal)
    await waitUntil(() => told.acknowledged.length > 500)
    api.process.kill('SIGTERM')
    expect((await api.process.exit).code).toBe(0)
    done.abort()
    await clients
  }
  await using again = await start('api', args)
  const { pending_writes_in_stream: pending } = JSON.parse((await get(`${again.url}/api/stats`)).body)
  expect(pending).toBeGreaterThanOrEqual(told.acknowledged.length)
  expect(pending).toBeLessThanOrEqual(told.acknowledged.length + 5 * told.unknown)
})
