import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { describeStreamContract } from './contract.ts'
import { describePartitionContract } from './contract-partitions.ts'
import type { StreamOptions } from './port.ts'
import { redisStream } from './redis.ts'
import { keptWhenFailed } from '../redis/test/kept-when-failed.ts'

await describeOnBackend('redis', ({ url }) => {
  const prefix = keptWhenFailed(url)
  const open = (name: string, options: StreamOptions) =>
    redisStream({ url: `${url}?stream=${prefix}:${name}`, ...options })
  describeStreamContract('redis', open, {
    durability: { fsyncedLocal: true, replicas: 0 },
    shared: true,
    replicas: true,
  })
  describePartitionContract('redis', open)
})
