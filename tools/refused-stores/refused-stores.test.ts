import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { makeCertificate } from '@ballast/backends/certificate'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { openBlobStore } from '@ballast/state-stores/blob'
import { openCounterStore } from '@ballast/state-stores/counter'
import { parseRedisUrl, RedisConnection } from '@ballast/state-stores/redis'
import { startProcess, temporaryFolder } from '@ballast/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Adapter, adapters } from './adapters.ts'
import { badInputs, lacking, secrets, type Servers } from './bad-inputs.ts'
import { startOldCassandra, startReadOnlyS3 } from './fronts.ts'
import { startOldPostgres, startOldRedis } from './old-servers.ts'

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

for (const kind of new Set(adapters.map((adapter) => adapter.kind))) {
  await describeOnBackend(kind, ({ url, version }) => {
    describe.each(adapters.filter((adapter) => adapter.kind === kind))('$name is refused', (adapter) => {
      const stack = new AsyncDisposableStack()
      let servers: Servers
      beforeAll(async () => {
        servers = await prepare(adapter, url, version, stack)
      })
      afterAll(() => stack.disposeAsync())

      const lacks = lacking[adapter.name] ?? {}
      test.each(badInputs.filter(({ name }) => lacks[name] === undefined))('$name', async ({ url: of, says }) => {
        const bad = of(adapter, servers)
        if (bad === undefined) throw new Error('there is no such server here, and nobody says why')
        expect(await refusal(adapter, bad)).toMatch(says)
      })
    })
  })
}

/** Exit code 2 and one sentence on stderr, which names the setting; no stack and no secret anywhere. */
async function refusal({ args, variable, setting, env }: Adapter, url: string): Promise<string> {
  await using child = startProcess({ args: [...args], env: { ...env, [variable]: url } })
  const exit = await Promise.race([child.exit, child.waitForLine(/"listening"/).catch(() => child.exit)])
  const said = [...child.stderr, ...child.stdout].join('\n')
  for (const secret of secrets) expect(said).not.toContain(secret)
  expect(said).not.toMatch(/^\s+at /m)
  expect({ exit, stderr: child.stderr }).toEqual({ exit: { code: 2, signal: null }, stderr: [expect.any(String)] })
  const [sentence = ''] = child.stderr
  expect(sentence).toContain(setting)
  return sentence
}

async function prepare(adapter: Adapter, url: string, version: string, stack: AsyncDisposableStack): Promise<Servers> {
  const { kind, name } = adapter
  const namespace = `test_${randomUUID().replaceAll('-', '')}`
  const own = adapter.own(url, namespace)
  const common = { own, tls: await tlsServer(adapter, namespace, stack) }
  if (kind === 'redis') {
    const { url: replica } = stack.use(
      await startBackend('redis', { durability: 'none', replicaOf: url, asProcess: true }),
    )
    const forgetful = stack.use(await startBackend('redis', { durability: 'none' }))
    await redis(forgetful.url, ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'])
    const { port } = stack.use(await startOldRedis())
    const later = name === 'counter/redis' ? { later: own } : {}
    if (name === 'counter/redis') await redis(url, ['HSET', `{${namespace}}:meta`, 'format', '2'])
    return {
      ...common,
      own: adapter.own(url, `${namespace}b`),
      ...later,
      replica,
      forgetful: forgetful.url,
      old: `redis://127.0.0.1:${port}`,
    }
  }
  if (kind === 'postgres') {
    const { port } = stack.use(await startOldPostgres())
    const replica = `${own}${own.includes('?') ? '&' : '?'}options=-c%20default_transaction_read_only%3Don`
    const old = `postgres://127.0.0.1:${port}/x`
    if (name !== 'counter/postgres') return { ...common, replica, old }
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`CREATE SCHEMA ${namespace}; CREATE TABLE ${namespace}.migrations (version integer PRIMARY KEY);
      INSERT INTO ${namespace}.migrations VALUES (99)`)
    stack.defer(async () => {
      await client.query(`SET client_min_messages = error; DROP SCHEMA ${namespace} CASCADE`)
      await client.end()
    })
    return { ...common, own: adapter.own(url, `${namespace}b`), later: own, replica, old }
  }
  if (kind === 'dynamodb') {
    await (await openCounterStore(own)).close()
    await putLaterFormat(url, namespace)
    return { ...common, own: adapter.own(url, `${namespace}b`), later: own }
  }
  if (kind === 'cassandra') {
    await (await openBlobStore(own)).close()
    const { url: old } = stack.use(await startOldCassandra(own, version, version.replace(/^\d/, '3')))
    return { ...common, old }
  }
  if (kind === 's3') {
    await (await openBlobStore(own)).close()
    return { ...common, replica: stack.use(await startReadOnlyS3(own)).url }
  }
  return common
}

async function tlsServer(adapter: Adapter, namespace: string, stack: AsyncDisposableStack) {
  const server = stack.use(await startBackend(adapter.kind, { tls: true }))
  const folder = stack.use(await temporaryFolder())
  const otherCa = join(folder.path, 'other.pem')
  await writeFile(otherCa, (await makeCertificate()).certificate)
  return { own: adapter.own(server.url, namespace), otherCa }
}

async function redis(url: string, words: readonly string[]): Promise<void> {
  await using connection = await RedisConnection.open({ target: parseRedisUrl(url, []), name: 'test', mayForget: true })
  await connection.send(words)
}

/** DynamoDB Local checks no signature. */
async function putLaterFormat(url: string, table: string): Promise<void> {
  const response = await fetch(`http://${new URL(url).host}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.PutItem',
      authorization: `AWS4-HMAC-SHA256 Credential=${new URL(url).username}/20260101/local/dynamodb/aws4_request, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify({ TableName: table, Item: laterFormat }),
  })
  if (!response.ok) throw new Error(await response.text())
}
const laterFormat = { pk: { S: 'format' }, sk: { S: 'format' }, version: { N: '2' } }
