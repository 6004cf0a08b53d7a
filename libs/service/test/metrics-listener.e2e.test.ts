import { freePort } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startFixture } from './start-fixture.ts'

test('a second listener has metrics and probes; the first then has no metrics', async () => {
  const port = await freePort()
  await using fixture = startFixture(['--metrics-listen', `127.0.0.1:${port}`])
  const url = await fixture.url()
  const side = `http://127.0.0.1:${port}`
  await fetch(`${url}/public`)
  const text = await (await fetch(`${side}/metrics`)).text()
  expect(text).toContain(
    'http_server_request_duration_seconds_count{service="fixture",method="GET",route="/public",status="200"} 1',
  )
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds\{service="fixture"\} /m)
  expect(text).toMatch(/^process_cpu_seconds_total\{service="fixture"\} /m)
  await expect(fetch(`${side}/readyz?verbose`).then((answer) => answer.text())).resolves.toContain('[+]store ok')
  expect((await fetch(`${url}/metrics`)).status).toBe(404)
  expect((await fetch(`${side}/public`)).status).toBe(404)
  expect((await fetch(`${side}/metrics`, { method: 'POST' })).status).toBe(405)
  fixture.kill('SIGTERM')
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
})
