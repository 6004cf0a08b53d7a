import { join } from 'node:path'
import { isAlive, temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startCounter, type CounterProcess } from './counter-process.ts'
import { workersOf } from './workers-of.ts'

async function start(...args: string[]): Promise<CounterProcess> {
  const folder = await temporaryFolder()
  const counter = await startCounter(join(folder.path, 'counter.json'), '--workers', '2', ...args)
  onTestFinished(async () => {
    for (const pid of workersOf(counter.pid)) process.kill(pid, 'SIGCONT')
    await counter[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })
  return counter
}

/** On a connection of its own, so that any worker may get it. */
const request = (url: string, method = 'GET', headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method, headers: { connection: 'close', ...headers }, signal: AbortSignal.timeout(10_000) })

const count = async (url: string, key?: string): Promise<number> => {
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  const answer = await request(url, 'POST', headers)
  const body: unknown = await answer.json()
  if (typeof body === 'object' && body !== null && 'counter' in body) return Number(body.counter)
  throw new Error(JSON.stringify(body))
}

const scrape = async (url: string): Promise<string> => (await request(`${url}/metrics`)).text()

/** The sum of all series of a name. */
const sumOf = (text: string, name: string): number =>
  [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((sum, [, n]) => sum + Number(n), 0)

describe('--workers 2', () => {
  test('several processes serve one store: exact values, one /metrics, keys known to all, a clean end', async () => {
    const counter = await start()
    expect(workersOf(counter.pid)).toHaveLength(2)
    const values = await Promise.all(Array.from({ length: 100 }, () => count(counter.url)))
    expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    for (let n = 0; n < 8; n++) await expect(count(counter.url, 'k')).resolves.toBe(101)
    const text = await scrape(counter.url)
    expect(sumOf(text, 'counter_operations_total')).toBe(101)
    expect(text.match(/^# TYPE counter_operations_total/gm)).toHaveLength(1)
    expect(text).toContain('counter_workers{service="counter",state="running"} 2')
    expect(text).toMatch(/^process_resident_memory_bytes\{service="counter",worker="2"\} \d/m)
    expect((await request(`${counter.url}/readyz`)).status).toBe(200)
    counter.kill('SIGTERM')
    await expect(counter.exit).resolves.toEqual({ code: 0, signal: null })
    expect(counter.stdout.filter((line) => line.includes('"msg":"listening"'))).toHaveLength(1)
    expect(counter.stderr).toEqual([])
  })

  test('totals never go down when workers are killed; others take their place', { timeout: 120_000 }, async () => {
    const counter = await start()
    let last = { http: 0, operations: 0, answered: 0 }
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 20; n++) await count(counter.url)
      const before = await scrape(counter.url)
      const now = {
        http: sumOf(before, 'http_server_request_duration_seconds_count'),
        operations: sumOf(before, 'counter_operations_total'),
        answered: (round + 1) * 20,
      }
      expect(now.operations).toBe(now.answered)
      expect(now.http).toBeGreaterThanOrEqual(last.http)
      last = now
      const [victim = 0] = workersOf(counter.pid)
      process.kill(victim, 'SIGKILL')
      await waitUntil(() => {
        const workers = workersOf(counter.pid)
        return workers.length === 2 && !workers.includes(victim)
      })
      // What was scraped before is there still: at most what was measured since the last push or scrape is lost.
      const after = await waitUntil(() => scrape(counter.url).catch(() => undefined))
      expect(sumOf(after, 'http_server_request_duration_seconds_count')).toBeGreaterThanOrEqual(now.http)
      expect(sumOf(after, 'counter_operations_total')).toBe(now.operations)
      expect(sumOf(after, 'counter_worker_restarts_total')).toBe(round + 1)
    }
  })

  test('all workers at once may die, again and again: others take their place', async () => {
    const counter = await start()
    for (let round = 0; round < 4; round++) {
      const workers = workersOf(counter.pid)
      for (const pid of workers) process.kill(pid, 'SIGKILL')
      await waitUntil(() => {
        const now = workersOf(counter.pid)
        return now.length === 2 && !now.some((pid) => workers.includes(pid))
      })
    }
    expect(await waitUntil(() => count(counter.url).catch(() => 0))).toBeGreaterThan(0)
  })

  test('a worker that stands still costs a scrape less than 1 s, shows as a gauge, and takes no connection', async () => {
    const counter = await start()
    await count(counter.url)
    const [stopped = 0] = workersOf(counter.pid)
    process.kill(stopped, 'SIGSTOP')
    for (let round = 0; round < 3; round++) {
      const startedMs = performance.now()
      const text = await scrape(counter.url)
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      expect(text).toContain('counter_workers{service="counter",state="unresponsive"} 1')
      expect(sumOf(text, 'counter_operations_total')).toBe(1 + round * 10)
      for (let n = 0; n < 10; n++) await count(counter.url)
    }
    process.kill(stopped, 'SIGCONT')
    await waitUntil(async () => (await scrape(counter.url)).includes('state="unresponsive"} 0'))
  })

  test('one that stands still does not keep the service from ending in its grace time', async () => {
    const counter = await start('--grace-ms', '2s')
    process.kill(workersOf(counter.pid)[0] ?? 0, 'SIGSTOP')
    counter.kill('SIGTERM')
    await expect(counter.exit).resolves.toEqual({ code: 0, signal: null })
  })

  test('workers, also stopped ones, end with the process that owns the store, and the next one starts at once', async () => {
    const folder = await temporaryFolder()
    onTestFinished(() => folder[Symbol.asyncDispose]())
    const path = join(folder.path, 'counter.json')
    await using first = await startCounter(path, '--workers', '2')
    await count(first.url)
    const workers = workersOf(first.pid)
    process.kill(workers[0] ?? 0, 'SIGSTOP')
    first.kill('SIGKILL')
    await waitUntil(() => workers.every((pid) => !isAlive(pid)))
    await using second = await startCounter(path, '--workers', '2', '--listen', new URL(first.url).host)
    await expect(count(second.url)).resolves.toBe(2)
  })
})
