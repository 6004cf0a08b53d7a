import type { RedisReply } from './connection.ts'
import { asList, asText } from './reply.ts'

export interface ServerFacts {
  readonly version: string
  /** New at every start of the server. */
  readonly runId: string
  /** An answered write is on the server's disk. */
  readonly fsyncedLocal: boolean
  /** What makes the server unfit to keep data, as a sentence. */
  readonly problem: string | undefined
}

/** The oldest version on which the scripts are tested. */
const oldestMajor = 7

/**
 * Reads INFO and, where it is allowed, CONFIG; managed servers block the latter, and then nothing is called synced.
 * Cost: two round trips.
 */
export async function readServerFacts(send: (words: readonly string[]) => Promise<RedisReply>): Promise<ServerFacts> {
  const info = new Map(
    asText(await send(['INFO']))
      .split('\r\n')
      .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  )
  const version = info.get('redis_version') ?? 'unknown'
  const problem = problemOf(version, info)
  const config = problem === undefined ? await readConfig(send) : new Map<string, string>()
  // While a rewrite runs, this setting skips the fsync even of appendfsync always.
  const always = config.get('appendfsync') === 'always' && config.get('no-appendfsync-on-rewrite') === 'no'
  return {
    version,
    runId: info.get('run_id') ?? '',
    fsyncedLocal: info.get('aof_enabled') === '1' && always,
    problem,
  }
}

function problemOf(version: string, info: ReadonlyMap<string, string>): string | undefined {
  const policy = info.get('maxmemory_policy')
  if (!(Number.parseInt(version, 10) >= oldestMajor))
    return `is version ${version}; at least ${oldestMajor}.0 is needed`
  if (info.get('redis_mode') === 'cluster') return 'runs in cluster mode; a single primary (with replicas) is needed'
  if (info.get('role') !== 'master') return 'is a replica; name the primary'
  if (policy !== 'noeviction') return `has maxmemory-policy ${policy} and may forget data; set it to noeviction`
  return undefined
}

async function readConfig(send: (words: readonly string[]) => Promise<RedisReply>): Promise<Map<string, string>> {
  try {
    const reply = asList(await send(['CONFIG', 'GET', 'appendfsync', 'no-appendfsync-on-rewrite']))
    return new Map(
      Array.from({ length: reply.length >> 1 }, (_, index) => [asText(reply[2 * index]), asText(reply[2 * index + 1])]),
    )
  } catch (error) {
    if (error instanceof Error && /unknown command|NOPERM|not allowed|disabled/i.test(error.message)) return new Map()
    throw error
  }
}
