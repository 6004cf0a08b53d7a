import { connect } from 'node:net'
import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { build } from '../../test/fixture/app.ts'
import { testServer } from './test-server.ts'

test('a client that goes away leaves the gauge, counts as 499, and alarms nobody', async () => {
  const server = testServer('test')
  await using app = await build({ server })
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  const text = async () => (await server.metrics.exposition(undefined)).body
  const send = (bytes: string) => {
    const socket = connect({ port: Number(port), host: '127.0.0.1' })
    socket.write(bytes)
    return socket
  }
  const waiting = send('GET /slow?ms=400 HTTP/1.1\r\nHost: test\r\n\r\n')
  const posting = send(
    'POST /things/a HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{',
  )
  await waitUntil(async () => (await text()).includes('requests_in_flight{service="test"} 2'))
  expect(app.openRequests().toSorted()).toEqual(['GET /slow?ms=400', 'POST /things/a'])
  waiting.destroy()
  posting.destroy()
  await waitUntil(async () => (await text()).includes('requests_in_flight{service="test"} 0'))
  const body = await text()
  expect(body).toContain('_count{service="test",method="GET",route="/slow",status="499"} 1')
  expect(body).not.toContain('status="500"')
})
