import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { describeStreamContract } from './contract.ts'
import { redisStream } from './redis.ts'
import { keptWhenFailed } from '../redis/test/kept-when-failed.ts'

await describeOnBackend('redis', ({ url }) => {
  const prefix = keptWhenFailed(url)
  describeStreamContract(
    'redis',
    (name, options) => redisStream({ url: `${url}?stream=${prefix}:${name}`, ...options }),
    {
      durability: { fsyncedLocal: true, replicas: 0 },
      shared: true,
      replicas: true,
    },
  )
})
