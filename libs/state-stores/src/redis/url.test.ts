import { expect, test } from 'vitest'
import { parseRedisUrl } from './url.ts'

test('several hosts, with and without ports, and a password for all of them', () => {
  const target = parseRedisUrl('redis://me:a%2Cb@one,two:6380,[::1]:6381/3?sentinel=main', [])
  expect(target).toMatchObject({
    hosts: [
      { host: 'one', port: 6379 },
      { host: 'two', port: 6380 },
      { host: '::1', port: 6381 },
    ],
    sentinel: 'main',
    username: 'me',
    password: 'a,b',
    database: 3,
    label: 'Redis at one:6379,two:6380,[::1]:6381',
  })
})

test.each(['redis://one,', 'redis://one,two:port', 'redis://,one'])('not %s', (url) => {
  expect(() => parseRedisUrl(url, [])).toThrow(/the Redis URL (cannot be read|names no host|has a host that cannot)/)
})
