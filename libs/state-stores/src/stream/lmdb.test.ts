import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { afterAll, beforeAll } from 'vitest'
import { describeStreamContract } from './contract.ts'
import { lmdbStream } from './lmdb.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => void (folder = await temporaryFolder()))
afterAll(() => folder[Symbol.asyncDispose]())

describeStreamContract('lmdb', (name, options) => lmdbStream({ path: join(folder.path, name), ...options }), {
  durability: { fsyncedLocal: true, replicas: 0 },
  shared: true,
})
