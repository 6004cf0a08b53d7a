import { ownNamespace } from '@ballast/backends/own-namespace'
import { Client } from 'cassandra-driver'
import { parseCassandraUrl } from './target.ts'

/** For tests: URLs into a keyspace of the test file's own, by prefix. */
export function keyspaceUrl(backendUrl: string): (prefix?: string) => string {
  const urlIn = (keyspace: string, prefix: string): string =>
    backendUrl.replace('?', `/${keyspace}/${prefix}?replication=1&`)
  const keyspace = ownNamespace(backendUrl, (name) => dropKeyspace(urlIn(name, '')))
  return (prefix = '') => urlIn(keyspace, prefix)
}

async function dropKeyspace(url: string): Promise<void> {
  const { contactPoints, datacenter, keyspace } = parseCassandraUrl(url)
  const client = new Client({ contactPoints: [...contactPoints], localDataCenter: datacenter })
  try {
    await client.execute(`DROP KEYSPACE IF EXISTS "${keyspace}"`, [], { readTimeout: 60_000 })
  } finally {
    await client.shutdown()
  }
}
