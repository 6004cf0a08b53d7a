import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { freePort } from '@ballast/testing'
import { expect, test } from 'vitest'
import { counterProcess, startCounterOn } from './counter-process.ts'

/** Exits with 2 and one sentence that names the setting, and no password. What is said of which mistake the library tests. */
async function refused(store: string): Promise<string> {
  await using refusing = counterProcess('--listen', '127.0.0.1:0', '--store-timeout-ms', '5s', '--store', store)
  await expect(refusing.exit).resolves.toEqual({ code: 2, signal: null })
  expect(refusing.stderr).toHaveLength(1)
  expect([...refusing.stderr, ...refusing.stdout].join('\n')).not.toMatch(/s3cret|\n\s+at /)
  return refusing.stderr[0] ?? ''
}

const withPassword = (url: string): string =>
  Object.assign(new URL(url), { username: 'nobody', password: 's3cret' }).href

test('a server that is not there', async () => {
  const sentence = await refused(`dynamodb://nobody:s3cret@127.0.0.1:${await freePort()}/table?region=local`)
  expect(sentence).toMatch(/DynamoDB at \S+ cannot be reached: .*--store \(COUNTER_STORE\)/)
})

await describeOnBackend('redis', ({ url }) => {
  test('a wrong password for Redis', async () => {
    expect(await refused(withPassword(url))).toMatch(/the password is wrong.*--store \(COUNTER_STORE\)/)
  })
})

await describeOnBackend('postgres', ({ url }) => {
  test('a wrong password for PostgreSQL', async () => {
    expect(await refused(withPassword(url))).toMatch(/password authentication failed.*--store \(COUNTER_STORE\)/)
  })
})

await describeOnBackend(
  'redis',
  ({ url }) => {
    test('a server that can lose answered writes is told of at the start, without its password', async () => {
      await using counter = await startCounterOn(Object.assign(new URL(url), { password: 's3cret' }).href)
      const log = counter.stdout.join('\n')
      expect(log).toMatch(/once a second.*set appendfsync always/)
      expect(log).not.toContain('s3cret')
    })
  },
  { durability: 'process' },
)
