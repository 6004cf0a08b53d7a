import { ReplyError } from 'ioredis'
import { expect, test } from 'vitest'
import { whatBecame } from './outcome.ts'

test.each([
  ["OOM command not allowed when used memory > 'maxmemory'.", true],
  ['MISCONF Redis is configured to save RDB snapshots, but it cannot', true],
  ['READONLY You can not write against a read only replica.', true],
  ['BALLAST one entry is not what it should be', false],
  ['NOSCRIPT No matching script.', false],
])('%s: not applied; that the whole store takes nothing is %s', (message, wholeStore) => {
  const became = whatBecame(new ReplyError(message), 'EVALSHA', 'redis://h')
  expect(became).toMatchObject({ name: 'NotAppliedError', wholeStore })
})
