import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { testApp } from '../src/test-app.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

const handles = (): number => process.getActiveResourcesInfo().filter((kind) => /TCP|Timeout/.test(kind)).length

/** Connects, waits for the first event, and goes without a word. */
const comeAndGo = (port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write('GET /v1/counters/a/b/events HTTP/1.1\r\nhost: x\r\n\r\n')
    })
    socket.on('data', (data) => {
      if (data.includes('data:')) socket.resetAndDestroy()
    })
    socket.once('close', () => resolve())
    socket.once('error', reject)
  })

const measure = async () => {
  await waitUntil(() => !process.getActiveResourcesInfo().includes('TCPSocketWrap'))
  if (typeof collectGarbage === 'function') for (let n = 0; n < 3; n++) collectGarbage()
  return { handles: handles(), heapBytes: process.memoryUsage().heapUsed }
}

test('10,000 readers come and go, and leave neither a handle nor memory behind', async () => {
  const { app } = await testApp({ streams: { pollMs: 5 } })
  await app.inject({ method: 'POST', url: '/v1/counters/a/b/add' })
  const port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
  const wave = async (): Promise<void> => {
    await Promise.all(Array.from({ length: 250 }, () => comeAndGo(port)))
    await waitUntil(() => app.openRequests().length === 0)
  }
  for (let n = 0; n < 8; n++) await wave()
  const before = await measure()
  for (let n = 0; n < 32; n++) await wave()
  const after = await measure()
  expect(after.handles).toBeLessThanOrEqual(before.handles)
  // 8,000 of them; one that stayed would hold several KiB.
  expect((after.heapBytes - before.heapBytes) / 8_000).toBeLessThan(500)
  expect((await app.inject('/metrics')).body).toContain('counter_streams{service="counter"} 0')
})
