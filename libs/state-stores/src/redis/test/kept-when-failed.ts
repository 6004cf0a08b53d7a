import { afterAll, afterEach } from 'vitest'
import { RedisConnection } from '../connection.ts'
import { asList, asText } from '../reply.ts'
import { parseRedisUrl } from '../url.ts'

/** A prefix for the keys of one test file. Keys that hold it are removed when its tests have passed, and kept for a look when one failed. */
export function keptWhenFailed(url: string, name: string): string {
  const prefix = `${name}-${process.pid}-${Date.now().toString(36)}`
  let failed = false
  afterEach(({ task }) => void (failed ||= task.result?.state === 'fail'))
  afterAll(async () => {
    if (failed) return
    await using redis = await RedisConnection.open({ target: parseRedisUrl(url, []), name: 'ballast-test' })
    let cursor = '0'
    do {
      const [next, keys] = asList(await redis.send(['SCAN', cursor, 'MATCH', `*${prefix}*`, 'COUNT', 1000]))
      cursor = asText(next)
      const found = asList(keys).map(asText)
      if (found.length > 0) await redis.send(['UNLINK', ...found])
    } while (cursor !== '0')
  })
  return prefix
}
