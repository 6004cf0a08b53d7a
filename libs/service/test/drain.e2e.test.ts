import { Agent, get, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startFixture } from './start-fixture.ts'

test('under load, no request fails from SIGTERM until the balancer has seen 503', async () => {
  await using fixture = startFixture(['--drain-delay-ms', '5000'])
  const url = await fixture.url()
  const unbalanced = new AbortController()
  const statuses = new Map<number | string, number>()
  const client = async (): Promise<void> => {
    while (!unbalanced.signal.aborted) {
      const outcome = await fetch(`${url}/slow?ms=5`).then((answer) => answer.status, String)
      statuses.set(outcome, (statuses.get(outcome) ?? 0) + 1)
    }
  }
  const clients = Array.from({ length: 20 }, client)
  fixture.kill('SIGTERM')
  await waitUntil(async () => (await fetch(`${url}/readyz`)).status === 503)
  unbalanced.abort()
  await Promise.all(clients)
  expect([...statuses.keys()]).toEqual([200])
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
})

test('an answer that had begun before SIGTERM is finished, and its connection does not hold the process', async () => {
  await using fixture = startFixture(['--grace-ms', '5000'])
  const url = await fixture.url()
  const request = get(`${url}/stream?ms=300`, { agent: new Agent({ keepAlive: true }) })
  const [response]: IncomingMessage[] = await once(request, 'response')
  fixture.kill('SIGTERM')
  let text = ''
  for await (const chunk of response?.setEncoding('utf8') ?? []) text += chunk
  expect(text).toBe('begin end')
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
})

test('long answers see the signal and can end', async () => {
  await using fixture = startFixture([])
  const url = await fixture.url()
  const answer = await fetch(`${url}/events`)
  fixture.kill('SIGTERM')
  await expect(answer.text()).resolves.toBe('retry: 1000\n\n')
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
})
