import { Client } from 'cassandra-driver'
import pg from 'pg'
import { redisCommand } from './resp.ts'

/** For suites of services, which know no drivers: removes what `ownNamespace` named, if it was made. S3 is not among them. */
export const dropNamespace: Readonly<
  Record<'redis' | 'postgres' | 'cassandra' | 'dynamodb', (serverUrl: string, name: string) => Promise<void>>
> = {
  /** A key prefix. */
  async redis(serverUrl, name) {
    const script = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('DEL', key) end return 'OK'"
    const { port, password } = new URL(serverUrl)
    const login = password === '' ? undefined : password
    const reply = await redisCommand(Number(port), ['EVAL', script, '0', `*${name}*`], undefined, login)
    if (reply !== '$2') throw new Error(`redis: ${reply}`)
  },
  /** A schema. */
  async postgres(serverUrl, name) {
    const client = new pg.Client({ connectionString: serverUrl })
    await client.connect()
    await client.query(`SET client_min_messages = error; DROP SCHEMA IF EXISTS ${name} CASCADE`)
    await client.end()
  },
  /** A keyspace. */
  async cassandra(serverUrl, name) {
    const { host, searchParams } = new URL(serverUrl)
    const client = new Client({
      contactPoints: [host],
      localDataCenter: searchParams.get('datacenter') ?? 'datacenter1',
      monitorReporting: { enabled: false },
    })
    try {
      await client.execute(`DROP KEYSPACE IF EXISTS "${name}"`, [], { readTimeout: 60_000 })
    } finally {
      await client.shutdown()
    }
  },
  /** A table. DynamoDB Local checks no signature. */
  async dynamodb(serverUrl, name) {
    const { host, username } = new URL(serverUrl)
    const credential = `Credential=${username}/20260101/local/dynamodb/aws4_request`
    const response = await fetch(`http://${host}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-amz-json-1.0',
        'x-amz-target': 'DynamoDB_20120810.DeleteTable',
        authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=none`,
      },
      body: JSON.stringify({ TableName: name }),
    })
    if (!response.ok) throw new Error(await response.text())
  },
}
