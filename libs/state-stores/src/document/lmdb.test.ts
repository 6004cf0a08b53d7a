import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { afterAll, beforeAll } from 'vitest'
import { describeDocumentStoreContract } from './contract.ts'
import { lmdbDocumentStore } from './lmdb.ts'

let folder: Awaited<ReturnType<typeof temporaryFolder>>
beforeAll(async () => void (folder = await temporaryFolder()))
afterAll(() => folder[Symbol.asyncDispose]())

describeDocumentStoreContract('lmdb', (name) => lmdbDocumentStore({ path: join(folder.path, name) }), {
  commandTimes: true,
  reopen: true,
})
