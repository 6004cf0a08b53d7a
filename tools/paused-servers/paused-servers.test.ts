import { setTimeout as delay } from 'node:timers/promises'
import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startProcess, waitUntil } from '@ballast/testing'
import { afterAll, expect, test, vi } from 'vitest'
import { isObject } from '../platform/log-record.ts'
import { type PausedCase, pausedCases } from './cases.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })

/** The answer to the first call ends a shorter pause. */
const pauseMs = 1_000 * Number(process.env['PAUSE_SECONDS'] ?? 0)
const rows: string[] = []

for (const kind of new Set(pausedCases.map((each) => each.kind))) {
  await describeOnBackend(kind, () => {
    test.each(pausedCases.filter((each) => each.kind === kind))(
      '$service answers in time what is the matter while its server stands still, and goes on when that does',
      async (each) => {
        const row = await pause(each)
        expect(row).toMatch(/^\| /)
        rows.push(row)
      },
    )
  })
}

afterAll(() => {
  if (pauseMs > 0) process.stdout.write(`\n${[...heads, ...rows].join('\n')}\n\n`)
})

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const heads = ['| service | server | paused | answer | after | goes on after |', '|---|---|---|---|---|---|']

async function pause({ service, kind, args, env, call, longestMs }: PausedCase): Promise<string> {
  await using server = await startBackend(kind)
  await using child = startProcess({ args: [...args], env: env(server.url) })
  const line: unknown = JSON.parse(await child.waitForLine(/"listening"/))
  if (!isObject(line) || typeof line['url'] !== 'string') throw new Error('it does not say where it listens')
  const { url } = line
  const ready = async (): Promise<boolean> => (await fetch(`${url}/readyz`)).status === 200
  await waitUntil(ready, { timeoutMs: 60_000 })
  expect((await call(url)).status).toBeLessThan(300)

  await server.pause()
  const pausedMs = performance.now()
  const answer = await call(url)
  const afterMs = performance.now() - pausedMs
  expect(answer.status).toBeGreaterThanOrEqual(500)
  expect(afterMs).toBeLessThan(longestMs)
  // Clients of some routes are answered as the original has it; then the probe, which operators read, names the server.
  const told = `${await answer.text()} ${await (await fetch(`${url}/readyz`)).text()} ${child.stdout.join('\n')}`
  expect(told).toContain(new URL(server.url.replace(/^[^:]*/, 'http')).host)
  await delay(Math.max(0, pauseMs - (performance.now() - pausedMs)))
  const stoodMs = performance.now() - pausedMs
  await server.resume()
  const resumedMs = performance.now()
  await waitUntil(async () => (await call(url)).status < 300, { timeoutMs: 90_000, what: 'the service to go on' })
  const backMs = performance.now() - resumedMs
  await waitUntil(ready, { timeoutMs: 90_000, what: 'the service to be ready' })
  expect(child.stderr).toEqual([])
  return `| ${service} | ${kind} | ${seconds(stoodMs)} | ${answer.status} | ${seconds(afterMs)} | ${seconds(backMs)} |`
}
