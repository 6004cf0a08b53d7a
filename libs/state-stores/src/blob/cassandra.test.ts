import { randomUUID } from 'node:crypto'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { beforeAll } from 'vitest'
import { keyspaceUrl } from './cassandra/test-keyspace.ts'
import { flipBit } from './cassandra/damage.ts'
import { parseCassandraUrl } from './cassandra/target.ts'
import { cassandraBlobStore } from './cassandra.ts'
import { describeBlobContract } from './contract.ts'

await describeOnBackend('cassandra', ({ url }) => {
  // A keyspace costs a second or two: one per file, and a prefix per test.
  const keyspace = keyspaceUrl(url)
  beforeAll(async () => {
    const store = await cassandraBlobStore({ url: keyspace() })
    await store.close()
  }, 120_000)

  describeBlobContract(
    'cassandra',
    async (options) => {
      const target = keyspace(randomUUID())
      const another = () => cassandraBlobStore({ ...options, url: target, timeoutMs: 15_000 })
      return { store: await another(), another, damage: (digest, at) => flipBit(parseCassandraUrl(target), digest, at) }
    },
    {
      durable: true,
      shared: true,
      lacks: ['one-copy', 'usage', 'one-commit', 'exact-outcomes', 'policies', 'scrub', 'namespaces'],
    },
  )
})
