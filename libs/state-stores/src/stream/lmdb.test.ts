import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { afterAll, beforeAll } from 'vitest'
import { describeStreamContract } from './contract.ts'
import { describePartitionContract } from './contract-partitions.ts'
import { lmdbStream } from './lmdb.ts'
import type { StreamOptions } from './port.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => void (folder = await temporaryFolder()))
afterAll(() => folder[Symbol.asyncDispose]())

const open = (name: string, options: StreamOptions) => lmdbStream({ path: join(folder.path, name), ...options })
describeStreamContract('lmdb', open, {
  durability: { fsyncedLocal: true, replicas: 0 },
  shared: true,
})
describePartitionContract('lmdb', open)
