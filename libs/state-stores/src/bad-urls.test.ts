import { createServer } from 'node:http'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { openBlobStore } from './blob/index.ts'
import { openCounterStore } from './counter/index.ts'
import { openDocumentStore } from './document/index.ts'
import { openStream } from './stream/index.ts'
import { openWorkItemStore } from './work-item/index.ts'

const setting = '--store (SOME_STORE)'

test.each([
  ['dynamodb:', () => openCounterStore('dynamodb://s3cret:%zz@127.0.0.1:1/abc?region=x', { setting })],
  ['cassandra:', () => openBlobStore('cassandra://s3cret:%zz@127.0.0.1:1/ks?datacenter=dc1', { setting })],
  ['s3+http:', () => openBlobStore('s3+http://s3cret:%zz@127.0.0.1:1/bucket?region=x', { setting })],
  ['s3+http: in its path', () => openBlobStore('s3+http://s3cret:x@127.0.0.1:1/bucket/%zz?region=x', { setting })],
  ['mongodb:', () => openDocumentStore('mongodb://s3cret:%zz@127.0.0.1:1/db', { setting })],
  ['mongodb: in its path', () => openDocumentStore('mongodb://s3cret:x@127.0.0.1:1/%zz', { setting })],
])('a %% that begins nothing is named, with the setting and without the secret: %s', async (_, open) => {
  await expect(open()).rejects.toThrow(/ has a % that two hexadecimal digits do not follow \(a % itself is %25\)/)
  await expect(open()).rejects.toThrow(setting)
  await expect(open()).rejects.not.toThrow(/s3cret/)
})

test.each([
  ['counters', () => openCounterStore('postgres://me:s3cret@127.0.0.1:1/db?sslmode=banana', { setting })],
  ['work items', () => openWorkItemStore('postgres://me:s3cret@127.0.0.1:1/db?sslmode=banana', { setting })],
])('a sslmode that nobody knows is not taken for TLS: %s', async (_, open) => {
  await expect(open()).rejects.toThrow(/has sslmode=banana, and only disable, .*verify-full are known/)
  await expect(open()).rejects.toThrow(setting)
})

test.each([
  ['counters', (host: string) => openCounterStore(`redis://${host}`, { setting })],
  ['counters, of two', (host: string) => openCounterStore(`redis://${host},127.0.0.1:1`, { setting })],
  ['a queue', (host: string) => openStream(`redis://${host}`, { setting })],
])('what answers and is no Redis is said to be none: %s', async (_, open) => {
  await expect(open(await webServer())).rejects.toThrow(
    /^Redis at 127.*: what answers there is no Redis, or speaks TLS \(rediss:\).*, or choose another store with --store/,
  )
})

test('what answers and is no DynamoDB is said to be none', async () => {
  const url = `dynamodb://k:s3cret@${await webServer()}/abc?region=x`
  await expect(openCounterStore(url, { setting })).rejects.toThrow(
    /cannot be used: what answers there is no DynamoDB, or choose/,
  )
})

async function webServer(): Promise<string> {
  const server = createServer((_, answer) => answer.end('<html>')).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const address = server.address()
  return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
}
