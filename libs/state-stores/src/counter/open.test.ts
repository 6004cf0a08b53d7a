import { randomUUID } from 'node:crypto'
import { CreateTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { freePort, temporaryFolder } from '@ballast/testing'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, test } from 'vitest'
import { add, one } from './contract/operations.ts'
import { dynamoClient } from './dynamodb/client.ts'
import { formatKey } from './dynamodb/items.ts'
import { parseDynamoUrl } from './dynamodb/url.ts'
import { openCounterStore } from './open.ts'

/** What a start on this URL is refused with: one line that says what to turn, and no password. */
async function refusal(url: string): Promise<string> {
  const opened = openCounterStore(url, { setting: '--store (COUNTER_STORE)', timeoutMs: 5_000 })
  const sentence = await opened.then(
    () => 'it was opened',
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  )
  expect(sentence).toContain('--store (COUNTER_STORE)')
  expect(sentence).not.toMatch(/s3cret|\n/)
  return sentence
}

const change = (url: string, parts: Partial<Pick<URL, 'username' | 'password' | 'pathname' | 'search'>>): string =>
  Object.assign(new URL(url), parts).href

test.each([
  ['redis://user:s3cret@', /the Redis URL cannot be read/],
  ['redis://user:s3cret@127.0.0.1/zero', /a database that is no number/],
  ['redis://127.0.0.1/?prefx=a', /"prefx", and only prefix, ca, cert, key, sentinel are known/],
  ['redis://127.0.0.1/?prefix={a}', /prefix that is not/],
  ['rediss://127.0.0.1/?ca=/nowhere.pem', /names a ca file that cannot be read \(ENOENT/],
  ['postgres://user:s3cret@127.0.0.1', /names no database/],
  ['postgres://user:s3cret@127.0.0.1/db?schema=a;b', /has a schema that is not/],
  ['dynamodb:///table', /names no region/],
  ['dynamodb:///t?region=x', /has a table that is not/],
  ['dynamodb:///table?region=x&regoin=y', /"regoin", and only region, tls, ca are known/],
  ['dynamodb://key:s3cret@h:1/table?region=x&tls=yes', /tls=yes, which is neither true nor false/],
  ['dynamodb:///table?region=x&ca=/nowhere.pem', /no host, and AWS is always reached over TLS/],
  ['dynamodb://key:s3cret@h:1/table?region=x&ca=/nowhere.pem&tls=false', /a ca, which only TLS uses, and tls=false/],
  ['dynamodb://key:s3cret@h:1/table?region=x&ca=/nowhere.pem', /names a ca file that cannot be read \(ENOENT/],
  ['mongodb://user:s3cret@127.0.0.1/db', /"mongodb:" names no counter store/],
  ['', /names no counter store/],
])('the URL "%s"', async (url, expected) => {
  expect(await refusal(url)).toMatch(expected)
})

test.each([
  ['redis', '', /Redis at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED/],
  ['postgres', '/db', /PostgreSQL at 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/],
  ['dynamodb', '/table?region=local', /DynamoDB at 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/],
])('%s where nobody listens', async (scheme, rest, expected) => {
  expect(await refusal(`${scheme}://user:s3cret@127.0.0.1:${await freePort()}${rest}`)).toMatch(expected)
})

await describeOnBackend('redis', ({ url }) => {
  test('a wrong password', async () => {
    expect(await refusal(change(url, { username: 'nobody', password: 's3cret' }))).toMatch(/the password is wrong/)
  })

  test('a database that does not exist', async () => {
    expect(await refusal(change(url, { pathname: '/999' }))).toMatch(/has no database 999/)
  })

  test('counters of another format, which stay as they are', async () => {
    const prefix = `test-${randomUUID()}`
    await using redis = Object.assign(new Redis(url), { [Symbol.asyncDispose]: async () => redis.disconnect() })
    await redis.hset(`{${prefix}}:meta`, 'format', '2')
    expect(await refusal(`${url}?prefix=${prefix}`)).toMatch(/have format 2, and this release reads 1/)
    expect(await redis.keys(`{${prefix}}:*`)).toEqual([`{${prefix}}:meta`])
    await redis.del(`{${prefix}}:meta`)
  })

  test('a replica, and a server that may forget', { timeout: 40_000 }, async () => {
    await using primary = await startBackend('redis', { durability: 'none' })
    await using replica = await startBackend('redis', { durability: 'none', replicaOf: primary.url })
    expect(await refusal(replica.url)).toMatch(/is a read-only replica .*: give the address of its primary/)
    await using redis = Object.assign(new Redis(primary.url), { [Symbol.asyncDispose]: async () => redis.disconnect() })
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru')
    expect(await refusal(primary.url)).toMatch(/maxmemory-policy is allkeys-lru.*: set it to noeviction/)
  })

  test(
    'a password is given, a user is denied, and over TLS the authority is checked',
    { timeout: 40_000 },
    async () => {
      await using server = await startBackend('redis', { tls: true })
      await using folder = await temporaryFolder()
      const ca = join(folder.path, 'ca.pem')
      await writeFile(ca, server.ca ?? '')
      expect(await refusal(server.url)).toMatch(/self.signed certificate|unable to verify/i)
      await using store = await openCounterStore(`${server.url}?ca=${ca}`)
      await expect(one(store, add('n/a', 1n))).resolves.toMatchObject({ value: 1n })
      await using redis = Object.assign(new Redis(server.url, { tls: { ca: server.ca ?? '' } }), {
        [Symbol.asyncDispose]: async () => redis.disconnect(),
      })
      await redis.call('ACL', 'SETUSER', 'counter', 'on', '>s3cret', '~{ballast-counter}:*', '+@all')
      await redis.call('ACL', 'SETUSER', 'default', 'off')
      const [user, missing] = [
        change(server.url, { username: 'counter', password: 's3cret', search: `?ca=${ca}` }),
        `${server.url}?ca=${ca}`,
      ]
      expect(await refusal(missing)).toMatch(/asks for a password: put it into the URL/)
      await using second = await openCounterStore(user)
      await expect(one(second, add('n/a', 1n))).resolves.toMatchObject({ value: 2n })
    },
  )
})

await describeOnBackend('postgres', ({ url }) => {
  test('a wrong password', async () => {
    expect(await refusal(change(url, { password: 's3cret' }))).toMatch(/password authentication failed/)
  })

  test('a database that does not exist', async () => {
    expect(await refusal(change(url, { pathname: '/nowhere' }))).toMatch(/database "nowhere" does not exist/)
  })

  test('a database that only reads', async () => {
    const search = '?options=-c%20default_transaction_read_only%3Don'
    expect(await refusal(change(url, { search }))).toMatch(/only reads/)
  })

  test('a schema of a later release, which stays as it is', async () => {
    const schema = `test_${randomUUID().replaceAll('-', '')}`
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.migrations (version integer PRIMARY KEY);
      INSERT INTO ${schema}.migrations VALUES (99)`)
    expect(await refusal(`${url}?schema=${schema}`)).toMatch(/has version 99, and this release knows 1: upgrade/)
    const { rows } = await client.query('SELECT tablename FROM pg_tables WHERE schemaname = $1', [schema])
    expect(rows).toEqual([{ tablename: 'migrations' }])
    await client.query(`SET client_min_messages = error; DROP SCHEMA ${schema} CASCADE`)
    await client.end()
  })
})

await describeOnBackend('dynamodb', ({ url }) => {
  test('a table of somebody else, and one of a later release', async () => {
    const ours = url.replace('?', `/test-${randomUUID()}?`)
    const client = dynamoClient(parseDynamoUrl(ours, ''), { timeoutMs: 10_000 })
    const TableName = `test-${randomUUID()}`
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    )
    expect(await refusal(url.replace('?', `/${TableName}?`))).toMatch(/has the key \(HASH id\) and not/)
    await (await openCounterStore(ours)).close()
    const later = { ...formatKey, version: { N: '2' } }
    await client.send(new PutItemCommand({ TableName: parseDynamoUrl(ours, '').table, Item: later }))
    expect(await refusal(ours)).toMatch(/has format 2, and this release knows 1: upgrade/)
    client.destroy()
  })
})
