import { expect, test } from 'vitest'
import { describeOnBackend } from './describe-on-backend.ts'
import { dropNamespace } from './drop-namespace.ts'
import { redisCommand } from './resp.ts'

await describeOnBackend('redis', ({ url }) => {
  test('what is under the name goes, and nothing else', async () => {
    const port = Number(new URL(url).port)
    for (const key of ['{gone1}:a', '{gone1}:b', '{stays1}:a']) await redisCommand(port, ['SET', key, '1'])
    await dropNamespace.redis(url, 'gone1')
    await expect(redisCommand(port, ['EXISTS', '{gone1}:a', '{gone1}:b', '{stays1}:a'])).resolves.toBe(':1')
    await dropNamespace.redis(url, 'stays1')
  })
})
