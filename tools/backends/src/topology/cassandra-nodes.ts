import type { Durability, RunningBackend } from '../backend.ts'
import { freePort } from '@ballast/testing'
import { startBackend } from '../start.ts'

export interface CassandraNodesOptions {
  /** 1 to 9; their addresses are 127.0.0.1 and on, which Linux has without being told. Default: 3. */
  readonly nodes?: number
  /** Of each node's JVM; about twice that is resident. Default: 320 MiB. */
  readonly heapBytes?: number
  readonly durability?: Durability
}

export interface CassandraNodes extends AsyncDisposable {
  readonly nodes: readonly RunningBackend[]
  /**
   * All nodes as a blob store's URL has them, without a keyspace: `cassandra://127.0.0.1:port,127.0.0.2:port`. The data
   * centre is `datacenter1`.
   */
  readonly url: string
}

/** The ring of Murmur3 tokens goes from -2^63 to 2^63. */
const ring = 2n ** 64n

/**
 * One cluster of real nodes, evenly spread over the ring. A node that was killed is started again by its `restart`. When
 * this resolves each of them answers clients; that they have found each other shows in a write at a consistency of ALL.
 */
export async function startCassandraNodes(options: CassandraNodesOptions = {}): Promise<CassandraNodes> {
  const { nodes: count = 3, heapBytes = 320 * 2 ** 20, durability = 'disk' } = options
  await using started = new AsyncDisposableStack()
  const [port, storagePort] = [await freePort(), await freePort()]
  const nodes: RunningBackend[] = []
  // One after the other: JVMs that warm up together on two cores take each other for dead.
  for (let i = 0; i < count; i++) {
    const token = String(-(ring / 2n) + (ring / BigInt(count)) * BigInt(i))
    const node = { address: `127.0.0.${i + 1}`, seed: '127.0.0.1', storagePort, token, heapBytes }
    nodes.push(started.use(await startBackend('cassandra', { durability, port, node })))
  }
  const running = started.move()
  return {
    nodes,
    url: `cassandra://${nodes.map(({ url }) => new URL(url).host).join(',')}`,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
