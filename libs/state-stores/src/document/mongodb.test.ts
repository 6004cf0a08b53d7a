import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { MongoClient } from 'mongodb'
import { afterAll, afterEach } from 'vitest'
import { describeDocumentStoreContract } from './contract.ts'
import { mongodbDocumentStore } from './mongodb.ts'

await describeOnBackend('mongodb', ({ url }) => {
  const database = `document_contract_${process.pid}_${Date.now().toString(36)}`
  const data = (name: string): string => url.replace(/\/(\?|$)/, `/${database}/${name}$1`)
  let failed = false
  afterEach(({ task }) => void (failed ||= task.result?.state === 'fail'))
  afterAll(async () => {
    if (failed) return
    await using client = await MongoClient.connect(url)
    await client.db(database).dropDatabase()
  })

  describeDocumentStoreContract('mongodb', (name) => mongodbDocumentStore({ url: data(name) }), {
    commandTimes: false,
    reopen: true,
    commandCount: 'handle',
    firstOfType: 'natural',
  })
})
