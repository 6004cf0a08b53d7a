import { setTimeout as delay } from 'node:timers/promises'
import { startCassandraNodes, type CassandraNodes } from '@ballast/backends'
import { waitUntil } from '@ballast/testing'
import { Client, types } from 'cassandra-driver'
import { expect, test } from 'vitest'
import { cassandraBlobStore } from '../cassandra.ts'
import { bytesOf, name, readAll } from '../contract/harness.ts'
import type { BlobStore } from '../port.ts'

/** Three JVMs take a minute and 1.5 GB, so this is only run as a proof: `npm run proof -- message-store-cassandra-nodes`. */
const rounds = Number(process.env['NODE_KILL_ROUNDS'] ?? 0)
const [writers, readers] = [4, 2]
/** What is done before, while, and after a node is away. */
const operationsPerPhase = 200
const longestCureMs = 5_000

test.skipIf(rounds === 0)(
  'nodes are killed in turn under writes and reads: nothing acknowledged is lost, a retry soon cures what failed',
  async ({ annotate }) => {
    await using cluster = await startCassandraNodes()
    await using client = await clientOf(cluster)
    await using store = await waitUntil(() => open(cluster), { timeoutMs: 120_000, what: 'the nodes to agree' })
    const load = new Load(store)
    const running = load.start()
    const phase = async (): Promise<void> => {
      const wanted = load.operations + operationsPerPhase
      await waitUntil(() => load.problem ?? load.operations >= wanted, {
        timeoutMs: 120_000,
        what: 'the load to go on',
      })
    }
    for (let round = 0; round < rounds && load.problem === undefined; round++) {
      const node = cluster.nodes[round % cluster.nodes.length]
      await waitUntil(() => areTogether(client), { timeoutMs: 120_000, what: 'all nodes to be back' })
      await phase()
      await node?.kill()
      await phase()
      await node?.restart()
    }
    load.stop()
    await running
    expect(load.problem).toBeUndefined()
    await waitUntil(() => areTogether(client), { timeoutMs: 120_000, what: 'all nodes to be back' })
    const lost = await load.lost()
    await annotate(
      `${rounds} kills: ${load.acknowledged.size} blobs acknowledged, ${lost.length} lost; of ${load.operations} ` +
        `operations ${load.failures} attempts failed, the slowest operation was cured after ${Math.round(load.slowestCureMs)} ms`,
    )
    expect(lost).toEqual([])
    expect(load.slowestCureMs).toBeLessThan(longestCureMs)
  },
)

const urlOf = (cluster: CassandraNodes): string => `${cluster.url}/nodes?datacenter=datacenter1&replication=3`

const open = (cluster: CassandraNodes): Promise<BlobStore> =>
  cassandraBlobStore({ url: urlOf(cluster), timeoutMs: 1_000 })

async function clientOf(cluster: CassandraNodes): Promise<Client & AsyncDisposable> {
  const { hostname, port } = new URL(cluster.nodes[0]?.url ?? '')
  const client = new Client({
    contactPoints: [hostname],
    protocolOptions: { port: Number(port) },
    localDataCenter: 'datacenter1',
  })
  await client.connect()
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.shutdown() })
}

/** Each node in turn reaches all of them. */
async function areTogether(client: Client): Promise<boolean> {
  const consistency = types.consistencies.all
  for (let i = 0; i < 6; i++) await client.execute('SELECT value FROM nodes.settings', [], { consistency })
  return true
}

/** Writes and reads that are tried again until they succeed, and how long that took. */
class Load {
  readonly store: BlobStore
  readonly acknowledged = new Map<string, Buffer>()
  operations = 0
  failures = 0
  slowestCureMs = 0
  problem: string | undefined
  #stopped = false

  constructor(store: BlobStore) {
    this.store = store
  }

  async start(): Promise<void> {
    const writing = Array.from({ length: writers }, (_, id) => this.#write(id))
    const reading = Array.from({ length: readers }, () => this.#read())
    await Promise.all([...writing, ...reading])
  }

  stop(): void {
    this.#stopped = true
  }

  async lost(): Promise<string[]> {
    const missing: string[] = []
    for (const [key, bytes] of this.acknowledged) if (!(await this.#has(key, bytes))) missing.push(key)
    return missing
  }

  async #write(id: number): Promise<void> {
    for (let index = 0; !this.#stopped; index++) {
      const key = `${id}-${index}`
      const bytes = index % 8 === 0 ? bytesOf(id * 1000 + index, 300_000) : Buffer.from(key)
      await this.#untilDone(() => this.store.put({ name: name(key) }, [bytes]))
      this.acknowledged.set(key, bytes)
      await delay(5)
    }
  }

  async #read(): Promise<void> {
    for (let index = 0; !this.#stopped; index++) {
      const keys = [...this.acknowledged.keys()]
      const key = keys[(index * 7919) % Math.max(1, keys.length)]
      const bytes = key === undefined ? undefined : this.acknowledged.get(key)
      if (key !== undefined && bytes !== undefined) {
        const found = await this.#untilDone(() => this.#has(key, bytes))
        if (!found) this.#end(`${key} was acknowledged and is not there`)
      }
      await delay(5)
    }
  }

  async #has(key: string, bytes: Buffer): Promise<boolean> {
    return (await readAll(await this.store.open(name(key))))?.equals(bytes) === true
  }

  async #untilDone<T>(operation: () => Promise<T>): Promise<T> {
    const startedMs = performance.now()
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await operation()
        this.operations += 1
        if (attempt > 1) this.slowestCureMs = Math.max(this.slowestCureMs, performance.now() - startedMs)
        return result
      } catch (error) {
        this.failures += 1
        if (performance.now() - startedMs > 30_000) {
          this.#end(`failed for 30 s: ${String(error)}`)
          throw error
        }
        await delay(20)
      }
    }
  }

  #end(problem: string): void {
    this.problem ??= problem
    this.#stopped = true
  }
}
