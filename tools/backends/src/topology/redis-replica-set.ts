import type { Durability, RunningBackend } from '../backend.ts'
import { startBackend } from '../start.ts'
import { untilReady } from '../until-ready.ts'
import { redisInfo, redisReply } from './redis-reply.ts'

export interface RedisReplicaSetOptions {
  /** Default: 1. */
  readonly replicas?: number
  /** Default: 0, and then only `failOver` promotes anybody. */
  readonly sentinels?: number
  readonly durability?: Durability
}

export interface RedisReplicaSet extends AsyncDisposable {
  /** The server that was the primary when the set was started. */
  readonly primary: RunningBackend
  readonly replicas: readonly RunningBackend[]
  readonly sentinels: readonly RunningBackend[]
  /** All servers in one URL: `redis://host:port,host:port`. */
  readonly url: string
  /** With Sentinels: `redis://host:port,host:port?sentinel=<name of the primary>`. */
  readonly sentinelUrl: string | undefined
  /**
   * Makes a replica the primary, whether the old one runs or not: by the Sentinels where there are any, otherwise by
   * REPLICAOF. Resolves with the new one once it takes writes. An old primary that runs follows it; by hand, one that is
   * started again later believes itself to be the primary, as nobody has told it otherwise.
   */
  failOver(): Promise<RunningBackend>
  /** The server that calls itself the primary and that the Sentinels name; the first one, by hand. */
  current(): Promise<RunningBackend>
}

const name = 'ballast'

/** A real primary with real replicas, in step when this resolves, and Sentinels that know all of them. */
export async function startRedisReplicaSet(options: RedisReplicaSetOptions = {}): Promise<RedisReplicaSet> {
  const { replicas: count = 1, sentinels: sentinelCount = 0, durability = 'none' } = options
  await using started = new AsyncDisposableStack()
  const primary = started.use(await startBackend('redis', { durability, asProcess: true }))
  const start = (extra: Parameters<typeof startBackend>[1]) =>
    startBackend('redis', { durability, ...extra }).then((server) => started.use(server))
  const replicas = await Promise.all(Array.from({ length: count }, () => start({ replicaOf: primary.url })))
  await untilReady(async () => {
    const info = await redisInfo(primary.url, 'replication')
    const inStep = [...info.values()].filter((value) => value.includes('state=online')).length
    if (inStep < count) throw new Error(`${inStep} of ${count} replicas follow`)
  })
  // Before its first append-only file is there, a replica refuses to stop.
  for (const { url } of replicas) await untilReady(() => hasAppendOnlyFile(url))
  const quorum = Math.floor(sentinelCount / 2) + 1
  const watched = { url: primary.url, name, quorum }
  const sentinels = await Promise.all(Array.from({ length: sentinelCount }, () => start({ sentinelOf: watched })))
  for (const { url } of sentinels) await untilReady(() => knowsAll(url, count, sentinelCount))
  const servers = [primary, ...replicas]

  const current = async (): Promise<RunningBackend> => {
    const [sentinel] = sentinels
    const named = sentinel && (await primaryOf(sentinel.url))
    for (const server of servers) {
      if (named !== undefined && new URL(server.url).host !== named) continue
      const role = await redisInfo(server.url, 'replication').then(
        (info) => info.get('role'),
        () => undefined,
      )
      if (role === 'master') return server
    }
    throw new Error('no server is the primary')
  }
  const failOver = async (): Promise<RunningBackend> => {
    const old = await current().catch(() => undefined)
    const [sentinel] = sentinels
    if (sentinel !== undefined) {
      // It may have begun by itself, or have finished.
      if (old !== undefined) await redisReply(sentinel.url, ['SENTINEL', 'FAILOVER', name])
      let promoted = primary
      await untilReady(async () => {
        promoted = await current()
        if (promoted === old) throw new Error('the old primary is still the primary')
      })
      return promoted
    }
    return promote(old, servers)
  }
  const running = started.move()
  return {
    primary,
    replicas,
    sentinels,
    url: `redis://${hosts(servers)}`,
    sentinelUrl: sentinelCount === 0 ? undefined : `redis://${hosts(sentinels)}?sentinel=${name}`,
    failOver,
    current,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const hosts = (servers: readonly RunningBackend[]): string => servers.map(({ url }) => new URL(url).host).join(',')

/** The replica that has got furthest; the others, and the old primary where it runs, follow it from then on. */
async function promote(old: RunningBackend | undefined, servers: readonly RunningBackend[]): Promise<RunningBackend> {
  const offsets: { server: RunningBackend; offset: number }[] = []
  for (const server of servers) {
    if (server === old) continue
    const info = await redisInfo(server.url, 'replication').catch(() => undefined)
    if (info?.get('role') === 'slave') offsets.push({ server, offset: Number(info.get('slave_repl_offset')) })
  }
  const [best] = offsets.toSorted((a, b) => b.offset - a.offset)
  if (best === undefined) throw new Error('no replica is left to be promoted')
  const { url } = best.server
  await become(url, ['NO', 'ONE'])
  const { hostname, port } = new URL(url)
  const followers = offsets.map(({ server }) => server).filter((server) => server !== best.server)
  for (const server of old === undefined ? followers : [old, ...followers]) await become(server.url, [hostname, port])
  return best.server
}

async function hasAppendOnlyFile(url: string): Promise<void> {
  const info = await redisInfo(url, 'persistence')
  if (info.get('aof_rewrite_in_progress') !== '0' || info.get('aof_rewrite_scheduled') !== '0') {
    throw new Error('the append-only file is being written')
  }
}

async function become(url: string, primary: readonly string[]): Promise<void> {
  await redisReply(url, ['REPLICAOF', ...primary])
  await redisReply(url, ['CONFIG', 'REWRITE'])
}

async function primaryOf(sentinelUrl: string): Promise<string> {
  const address = await redisReply(sentinelUrl, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name])
  if (!Array.isArray(address)) throw new Error('the Sentinel knows of no primary')
  return address.join(':')
}

async function knowsAll(sentinelUrl: string, replicas: number, sentinels: number): Promise<void> {
  const fields = await redisReply(sentinelUrl, ['SENTINEL', 'MASTER', name])
  const list: readonly unknown[] = Array.isArray(fields) ? fields : []
  const field = (wanted: string): number => Number(list[list.indexOf(wanted) + 1])
  if (field('num-slaves') < replicas || field('num-other-sentinels') < sentinels - 1) {
    throw new Error('the Sentinel does not know all servers yet')
  }
}
