import { createHash } from 'node:crypto'
import type { RedisArgument, RedisConnection, RedisReply } from './connection.ts'
import { NotAppliedError } from '../outcome.ts'

/** A Lua script, which Redis runs as one atomic step. */
export interface Script {
  readonly source: string
  readonly sha: string
}

export const script = (source: string): Script => ({ source, sha: createHash('sha1').update(source).digest('hex') })

/** Runs it by its digest; a server that does not know it has not run it, so it is sent in full then. */
export async function runScript(
  connection: RedisConnection,
  { source, sha }: Script,
  keys: readonly string[],
  args: readonly RedisArgument[],
): Promise<RedisReply> {
  try {
    return await connection.send(['EVALSHA', sha, keys.length, ...keys, ...args])
  } catch (error) {
    if (!(error instanceof NotAppliedError) || !error.message.includes('NOSCRIPT')) throw error
    return connection.send(['EVAL', source, keys.length, ...keys, ...args])
  }
}
