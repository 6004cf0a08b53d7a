import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { encodeDocument, openDocumentStore, splitDocuments } from '@ballast/state-stores/document'
import { openStream } from '@ballast/state-stores/stream'
import { freePort, temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { get, idsOf, load, type Told } from './load-client.ts'
import { run, start, stop, stores } from './system.ts'

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)

/** Not a zombie, which waits only for whoever adopted it. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

interface Outcome {
  readonly told: Told
  readonly queued: ReadonlySet<string>
  readonly documents: number
}

/** Load on two processes, one of which is killed in the middle; then what was told and what is queued. */
async function killOneOfTwo(args: readonly string[], streamUrl: string): Promise<Outcome> {
  const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
  await using api = await start('api', [...args, '--workers', '2'])
  const done = new AbortController()
  const clients = load(() => api.url, 32, told, done.signal)
  try {
    await waitUntil(() => told.acknowledged.length > 1000)
    const running = /load_tolerant_api_workers\{[^}]*state="running"\} 2/
    await waitUntil(async () => running.test((await get(`${api.url}/metrics`)).body))
    process.kill(childrenOf(api.process.pid)[0] ?? 0, 'SIGKILL')
    const before = told.acknowledged.length
    await waitUntil(() => told.acknowledged.length > before + 1000)
  } finally {
    done.abort()
    await clients
  }
  expect(await stop(api)).toBe(0)
  await using stream = await openStream(streamUrl)
  const queued = new Set<string>()
  for (let after = ''; ;) {
    const page = await stream.queued({ limit: 100, ...(after === '' ? {} : { after }) })
    if (page.length === 0) break
    after = page.at(-1)?.entry ?? ''
    for (const { body } of page) for (const { id } of splitDocuments(body)) queued.add(id)
  }
  return { told, queued, documents: (await stream.backlog()).documents }
}

function expectNothingLost({ told, queued, documents }: Outcome): void {
  expect(documents).toBe(queued.size)
  expect(told.acknowledged.filter((id) => !queued.has(id))).toEqual([])
  expect(queued.size).toBeLessThanOrEqual(told.acknowledged.length + 5 * told.unknown)
}

test('--workers 2 on the embedded queue: one address, one /metrics, a killed process loses nothing acknowledged', async () => {
  await using folder = await temporaryFolder()
  const outcome = await killOneOfTwo(stores(folder.path), `lmdb:${join(folder.path, 'stream')}`)
  expect(outcome.told.acknowledged.length).toBeGreaterThan(2000)
  expectNothingLost(outcome)
}, 120_000)

test('a primary that is killed takes its workers along, also one that is stopped and holds the port', async () => {
  await using folder = await temporaryFolder()
  await using api = await start('api', [...stores(folder.path), '--workers', '2'])
  const workers = childrenOf(api.process.pid)
  process.kill(workers[0] ?? 0, 'SIGSTOP')
  api.process.kill('SIGKILL')
  await waitUntil(() => workers.every((pid) => !isRunning(pid)), { what: 'both workers to be gone' })
  await using next = await start('api', stores(folder.path), new URL(api.url).host)
  expect((await get(`${next.url}/api/data`)).status).toBe(200)
}, 60_000)

test('with --workers 2 and --metrics-listen the process that watches over them tells whether writes are accepted', async () => {
  await using folder = await temporaryFolder()
  const [port, writeBytes] = [await freePort(), 2970]
  const own = ['--metrics-listen', `127.0.0.1:${port}`, '--queue-max-bytes', String(2 * writeBytes)]
  await using api = await start('api', [...stores(folder.path), '--workers', '2', ...own])
  const probe = (path: string) => get(`http://127.0.0.1:${port}${path}`)
  expect([(await probe('/readyz')).status, (await probe('/metrics')).status]).toEqual([200, 200])
  for (let count = 0; count < 2; count++) expect((await get(`${api.url}/api/data`)).status).toBe(200)
  expect((await probe('/readyz')).status).toBe(503)
  expect((await probe('/livez')).status).toBe(200)
}, 60_000)

test('a disk that is full for the queue: also the process that watches over the workers is not ready, until there is room', async () => {
  await using folder = await temporaryFolder()
  const port = await freePort()
  const args = [...stores(folder.path), '--workers', '2', '--metrics-listen', `127.0.0.1:${port}`]
  await using api = await start('api', args, '127.0.0.1:0', "trap '' XFSZ; ulimit -S -f 4000")
  const ready = async (): Promise<boolean> => (await get(`http://127.0.0.1:${port}/readyz`)).status === 200
  expect(await ready()).toBe(true)
  const told: Told = { acknowledged: [], refused: 0, unknown: 0 }
  const done = new AbortController()
  const clients = load(() => api.url, 32, told, done.signal)
  await waitUntil(() => told.refused > 20)
  done.abort()
  await clients
  await waitUntil(async () => !(await ready()), { what: 'the watching process to see it' })
  for (const pid of [api.process.pid, ...childrenOf(api.process.pid)]) {
    execFileSync('prlimit', ['--pid', String(pid), '--fsize=unlimited'])
  }
  await waitUntil(ready, { what: 'it to be ready again' })
}, 60_000)

test('--workers 2 on stores that belong to one process is refused in one sentence', async () => {
  await using refused = run('api', ['--workers', '2', '--stream', 'memory:', '--documents', 'memory:'])
  expect((await refused.exit).code).toBe(2)
  expect(refused.stderr).toEqual([expect.stringContaining('--workers needs stores that processes can share')])
})

await describeOnBackend('redis', () => {
  test('a cold cache under many users of two processes costs the store a handful of reads', async () => {
    await using redis = await startBackend('redis', { durability: 'process' })
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'documents')
    const first = encodeDocument('650000000102030405000001', { type: 'write' })
    {
      await using documents = await openDocumentStore(`lmdb:${path}`)
      await documents.insertMany([first])
    }
    const args = ['--stream', redis.url, '--documents', `lmdb:${path}`, '--cache', `${redis.url}?prefix=cold:`]
    await using api = await start('api', [...args, '--workers', '2'])
    const agent = new Agent({ keepAlive: true, maxSockets: 200 })
    const answers = await Promise.all(Array.from({ length: 1000 }, () => get(`${api.url}/api/data`, agent)))
    agent.destroy()
    const reads = answers.flatMap(({ body }) => JSON.parse(body).reads)
    expect([reads.length, new Set(reads)]).toEqual([5000, new Set([first.id])])
    const { body } = await get(`${api.url}/metrics`)
    const loads = Number(/^load_tolerant_api_cache_loads_total(?:\{[^}]*\})? (\d+)$/m.exec(body)?.[1])
    expect(loads).toBeGreaterThan(0)
    expect(loads).toBeLessThanOrEqual(4)
    expect(await stop(api)).toBe(0)
  }, 120_000)

  test('--workers 2 on Redis', async () => {
    await using redis = await startBackend('redis', { durability: 'process' })
    await using folder = await temporaryFolder()
    const args = ['--stream', redis.url, '--documents', `lmdb:${join(folder.path, 'documents')}`]
    const outcome = await killOneOfTwo(args, redis.url)
    expect(outcome.told.acknowledged.length).toBeGreaterThan(2000)
    expectNothingLost(outcome)
  }, 120_000)
})

test('dead list and dead replay: what was buried comes back, is stored, and verify passes', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  await using api = await start('api', args)
  const ids = idsOf((await get(`${api.url}/api/data`)).body)
  {
    await using stream = await openStream(`lmdb:${join(folder.path, 'stream')}`)
    const [claimed] = await stream.claim('test', { maxEntries: 1, maxBytes: 1, waitMs: 0 })
    if (claimed === undefined) throw new Error('nothing was queued')
    const dead = splitDocuments(claimed.body).map(({ id, bson }) => ({ id, reason: 'conflict: test', body: bson }))
    await stream.bury([{ claimed, dead }])
  }
  const command = async (...words: string[]) => {
    await using task = run('dead', [...words, '--stream', `lmdb:${join(folder.path, 'stream')}`])
    return { code: (await task.exit).code, lines: task.stdout.slice(), errors: task.stderr.slice() }
  }
  const listed = await command('list', '--json', '--reason', 'conflict')
  expect(listed.lines.map((line) => JSON.parse(line).id)).toEqual(ids)
  expect(await command('replay', '--id', '650000000102030405000001')).toMatchObject({ code: 1 })
  expect(await command('rewind')).toMatchObject({
    code: 2,
    errors: [expect.stringContaining('dead list or dead replay')],
  })
  const replayed = await command('replay', '--json')
  expect([replayed.code, JSON.parse(replayed.lines.join(''))]).toEqual([0, { replayed: 5, unknown: 0, full: null }])
  await using consumer = await start('consumer', args)
  await waitUntil(async () => (await get(`${api.url}/api/stats`)).body.includes('"total_documents":5'))
  expect([await stop(consumer), await stop(api)]).toEqual([0, 0])
}, 120_000)
