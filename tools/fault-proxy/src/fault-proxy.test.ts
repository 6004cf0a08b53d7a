import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { waitUntil } from '@ballast/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startFaultProxy, type FaultProxy } from './index.ts'

let echo: Server
let received = ''
let proxy: FaultProxy

beforeEach(async () => {
  received = ''
  echo = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
      socket.write(chunk)
    })
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const address = echo.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  proxy = await startFaultProxy({ target: `redis://127.0.0.1:${address.port}/3`, random: () => 0.5 })
})

afterEach(async () => {
  await proxy[Symbol.asyncDispose]()
  echo.close()
})

interface Client {
  readonly socket: Socket
  answers: string
  ended: 'no' | 'close' | 'reset'
}

async function client(): Promise<Client> {
  const socket = connect(proxy.port, '127.0.0.1')
  const state: Client = { socket, answers: '', ended: 'no' }
  socket.on('data', (chunk: Buffer) => (state.answers += chunk.toString()))
  socket.on('error', () => (state.ended = 'reset'))
  socket.on('end', () => (state.ended = 'close'))
  await once(socket, 'connect')
  await waitUntil(() => proxy.connections > 0)
  return state
}

test('without faults it is a wire, under the url of its target', async () => {
  expect(proxy.url).toBe(`redis://127.0.0.1:${proxy.port}/3`)
  const { socket, ...state } = await client()
  socket.write('hello')
  await once(socket, 'data')
  expect(received).toBe('hello')
  expect(state.ended).toBe('no')
})

/** How long three words take there and back; they arrive in order. */
async function roundTripMs(): Promise<number> {
  const peer = await client()
  const started = performance.now()
  for (const word of ['one ', 'two ', 'three']) peer.socket.write(word)
  await waitUntil(() => peer.answers === 'one two three')
  return performance.now() - started
}

test('latency delays each way, and never reorders', async () => {
  proxy.set({ latencyMs: 40 })
  await expect(roundTripMs()).resolves.toBeGreaterThanOrEqual(78)
})

test('jitter delays by its random part, and never reorders', async () => {
  proxy.set({ jitterMs: 80 })
  // The random source says one half.
  await expect(roundTripMs()).resolves.toBeGreaterThanOrEqual(78)
})

test('bandwidth bounds what passes, also of one large chunk', async () => {
  proxy.set({ bytesPerSecond: 20_000 })
  const peer = await client()
  const started = performance.now()
  peer.socket.write('x'.repeat(20_000))
  await waitUntil(() => peer.answers.length > 0)
  expect(peer.answers.length).toBeLessThan(20_000)
  await waitUntil(() => peer.answers.length === 20_000)
  expect(performance.now() - started).toBeGreaterThanOrEqual(1000)
})

test('a fault that does not exist is refused', () => {
  expect(() => proxy.set(JSON.parse('{"latencyMS":5}'))).toThrow(
    'there is no fault "latencyMS"; the faults are latencyMs,',
  )
})

describe('dropping', () => {
  test('half open: the request arrives, the answer does not, and nothing is closed', async () => {
    proxy.set({ drop: 'answers' })
    const peer = await client()
    peer.socket.write('done but unknown')
    await waitUntil(() => proxy.droppedBytes === received.length && received === 'done but unknown')
    proxy.heal()
    peer.socket.write('!')
    await waitUntil(() => peer.answers === '!')
    expect(peer.ended).toBe('no')
  })

  test('a black hole swallows requests', async () => {
    const peer = await client()
    proxy.set({ drop: 'both' })
    peer.socket.write('lost')
    await waitUntil(() => proxy.droppedBytes === 4)
    proxy.heal()
    peer.socket.write('seen')
    await waitUntil(() => peer.answers === 'seen')
    expect(received).toBe('seen')
  })

  test('requests alone vanish on their way, and answers still arrive', async () => {
    proxy.set({ latencyMs: 50 })
    const peer = await client()
    peer.socket.write('sent before')
    await waitUntil(() => received === 'sent before')
    proxy.set({ drop: 'requests' })
    peer.socket.write('lost')
    await waitUntil(() => peer.answers === 'sent before' && proxy.droppedBytes === 4)
    expect(received).toBe('sent before')
  })
})

describe('ending connections', () => {
  test.each(['close', 'reset'] as const)('by %s', async (how) => {
    const peer = await client()
    proxy.cut(how)
    await waitUntil(() => peer.ended === how)
    await waitUntil(() => proxy.connections === 0)
    const next = await client()
    next.socket.write('again')
    await waitUntil(() => next.answers === 'again')
    expect(received).toBe('again')
  })

  test.each([
    ['close', 'closeAfterBytes'],
    ['reset', 'resetAfterBytes'],
  ] as const)('by %s after so many bytes of answers, to the byte', async (how, fault) => {
    const peer = await client()
    peer.socket.write('1234')
    await waitUntil(() => peer.answers === '1234')
    proxy.set({ [fault]: 6 })
    peer.socket.write('5678')
    await waitUntil(() => peer.ended === how)
    expect(received).toBe('12345678')
    // A reset may overtake the bytes before it.
    expect(how === 'close' ? peer.answers : '123456').toBe('123456')
    expect(peer.answers.length).toBeLessThanOrEqual(6)
    await waitUntil(() => proxy.connections === 0)
  })

  test('new connections are refused, open ones stay', async () => {
    const open = await client()
    proxy.set({ refuse: true })
    const refused = connect(proxy.port, '127.0.0.1')
    await expect(once(refused, 'data')).rejects.toThrow('ECONNRESET')
    open.socket.write('still here')
    await waitUntil(() => open.answers === 'still here')
    expect(open.ended).toBe('no')
  })

  test('a target that is not there resets the client', async () => {
    echo.close()
    const socket = connect(proxy.port, '127.0.0.1')
    await expect(once(socket, 'data')).rejects.toThrow('ECONNRESET')
  })
})
