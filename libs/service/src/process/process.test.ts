import { expect, test } from 'vitest'
import { Closers } from './closers.ts'
import { isLoopback, parseListenAddress } from './listen-address.ts'
import { sentence } from './sentence.ts'

test.each([
  ['127.0.0.1:4001', { host: '127.0.0.1', port: 4001 }, true],
  ['[::1]:0', { host: '::1', port: 0 }, true],
  ['localhost:80', { host: 'localhost', port: 80 }, true],
  [':4001', { host: '::', port: 4001 }, false],
  ['0.0.0.0:4001', { host: '0.0.0.0', port: 4001 }, false],
  ['127.0.0.1.example:1', { host: '127.0.0.1.example', port: 1 }, false],
])('%s is an address', (text, address, loopback) => {
  expect(parseListenAddress(text, '--listen')).toEqual(address)
  expect(isLoopback(address.host)).toBe(loopback)
})

test.each(['4001', 'host', 'host:', 'host:99999', '::1:80', 'host:-1', 'http://host:80'])(
  '%s is no address',
  (text) => {
    expect(() => parseListenAddress(text, '--listen')).toThrow(/^--listen must be host:port, as in/)
  },
)

test('closers run once, last in first out, each even if the one before failed', async () => {
  const closers = new Closers()
  const order: string[] = []
  for (const name of ['store', 'queue', 'http']) {
    closers.add(name, () => {
      order.push(name)
      if (name === 'queue') throw new Error('queue is stuck')
    })
  }
  const failed: string[] = []
  await expect(closers.closeAll((name) => failed.push(name))).resolves.toBe(false)
  await expect(closers.closeAll((name) => failed.push(name))).resolves.toBe(true)
  expect([order, failed]).toEqual([['http', 'queue', 'store'], ['queue']])
})

test('any error is one line that says something', () => {
  expect(sentence(new Error('a\nb'))).toBe('a')
  expect(sentence(Object.assign(new Error(''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED')
  const both = new AggregateError([new Error('connect ::1'), new Error('connect 127.0.0.1')], '')
  expect(sentence(both)).toBe('connect ::1; connect 127.0.0.1')
  expect(sentence(new Error('no store', { cause: new Error('refused') }))).toBe('no store: refused')
  expect(sentence(new Error('no store: refused', { cause: new Error('refused') }))).toBe('no store: refused')
  const why = new Error('timed out', { cause: new Error('socket') })
  expect(sentence(new Error('no store: timed out', { cause: why }))).toBe('no store: timed out')
  expect(sentence(new Error('no store', { cause: new AggregateError([why]) }))).toBe('no store: timed out: socket')
  expect(sentence('text')).toBe('text')
})
