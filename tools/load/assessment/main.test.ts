import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { startProcess } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

async function ends(...args: string[]) {
  await using process = startProcess({ args: [main, ...args] })
  const { code } = await process.exit
  return { code, said: [...process.stdout, ...process.stderr].join('\n') }
}

test('at a constant rate: latencies from when requests were due, exit 1 when one was refused', async () => {
  let status = 200
  const server = createServer((_, response) => response.writeHead(status, { 'content-length': 2 }).end('{}')).listen(0)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const good = await ends('--url', url, '--rate', '50', '--seconds', '1')
  expect(good.said).toMatch(/of 50 requests a second answered; p50 .* ms; 0 failed/)
  expect(good.code).toBe(0)
  status = 503
  expect(await ends('--url', url, '--rate', '20', '--seconds', '1')).toMatchObject({ code: 1 })
})

test('a rate that is none, and no service there: one sentence', async () => {
  expect(await ends('--rate', 'many')).toEqual({ code: 2, said: '--rate must be a number above 0, not "many"' })
  const { code, said } = await ends('--url', 'http://127.0.0.1:1')
  expect(code).toBeGreaterThan(0)
  expect(said).toMatch(/does not answer 200: is the service up|wrk is not installed/)
})
