import { expect, test } from 'vitest'
import { judgeServer } from './server-facts.ts'

const synced = { appendfsync: 'always', 'no-appendfsync-on-rewrite': 'no' }
const fit = {
  redis_version: '7.0.15',
  redis_mode: 'standalone',
  role: 'master',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
}
const info = (fields: Record<string, string>): string =>
  Object.entries({ ...fit, ...fields })
    .map((field) => field.join(':'))
    .join('\r\n')
const judge = (fields: Record<string, string>, settings = synced) => judgeServer(info(fields), settings, false)

test('a primary that forgets nothing and syncs each write may be used, without a word', () => {
  expect(judge({})).toEqual({
    version: '7.0.15',
    runId: '',
    isPrimary: true,
    survivesRestart: true,
    fsyncedLocal: true,
  })
})

test.each([
  ['a replica', { role: 'slave' }, /read-only replica \(its role is slave\)/],
  ['a Sentinel', { role: 'sentinel' }, /its role is sentinel/],
  ['an old version', { redis_version: '6.2.14' }, /version 6\.2\.14, and 7\.0 or later/],
  ['no version', { redis_version: 'unstable' }, /version unstable/],
  ['part of a cluster', { redis_mode: 'cluster' }, /part of a cluster/],
  ['one that may forget', { maxmemory_policy: 'allkeys-lru' }, /maxmemory-policy is allkeys-lru.*noeviction/],
])('%s is refused', (_, fields, says) => {
  expect(judge(fields).problem).toMatch(says)
})

test('a cache may forget, and nothing else is forgiven', () => {
  const forgetful = info({ maxmemory_policy: 'allkeys-lru' })
  expect(judgeServer(forgetful, synced, true).problem).toBeUndefined()
  expect(judgeServer(info({ role: 'slave' }), synced, true).problem).toMatch(/replica/)
})

test('what was answered is there after a restart if there is an append-only file, however it is synced', () => {
  expect(judge({}, { ...synced, appendfsync: 'no' }).survivesRestart).toBe(true)
  expect(judge({ aof_enabled: '0' }).survivesRestart).toBe(false)
})

test.each([
  ['no append-only file', { aof_enabled: '0' }, synced, /no append-only file/],
  ['a sync each second', {}, { ...synced, appendfsync: 'everysec' }, /last two seconds/],
  ['no sync of its own', {}, { ...synced, appendfsync: 'no' }, /half a minute/],
  ['no sync while it rewrites', {}, { ...synced, 'no-appendfsync-on-rewrite': 'yes' }, /while it rewrites/],
])('%s is a caveat', (_, fields, settings, says) => {
  const { caveat, fsyncedLocal, problem } = judge(fields, settings)
  expect({ fsyncedLocal, problem }).toEqual({ fsyncedLocal: false })
  expect(caveat).toMatch(says)
})
