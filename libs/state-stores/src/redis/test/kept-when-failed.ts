import { ownNamespace } from '@ballast/backends/own-namespace'
import { RedisConnection } from '../connection.ts'
import { asList, asText } from '../reply.ts'
import { parseRedisUrl } from '../url.ts'

/** A prefix for the keys of one test file, of which nothing is left when its tests have passed. */
export const keptWhenFailed = (url: string): string => ownNamespace(url, (prefix) => dropKeys(url, prefix))

/** Removes every key that holds the prefix. */
export async function dropKeys(url: string, prefix: string): Promise<void> {
  await using redis = await RedisConnection.open({ target: parseRedisUrl(url, []), name: 'ballast-test' })
  let cursor = '0'
  do {
    const [next, keys] = asList(await redis.send(['SCAN', cursor, 'MATCH', `*${prefix}*`, 'COUNT', 1000]))
    cursor = asText(next)
    const found = asList(keys).map(asText)
    if (found.length > 0) await redis.send(['UNLINK', ...found])
  } while (cursor !== '0')
}
