import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { ownNamespace } from '@ballast/backends/own-namespace'
import { MongoClient } from 'mongodb'
import { describeDocumentStoreContract } from './contract.ts'
import { mongodbDocumentStore } from './mongodb.ts'

await describeOnBackend('mongodb', ({ url }) => {
  const database = ownNamespace(url, async (name) => {
    await using client = await MongoClient.connect(url)
    await client.db(name).dropDatabase()
  })
  const data = (name: string): string => url.replace(/\/(\?|$)/, `/${database}/${name}$1`)

  describeDocumentStoreContract('mongodb', (name) => mongodbDocumentStore({ url: data(name) }), {
    commandTimes: false,
    reopen: true,
    commandCount: 'handle',
    firstOfType: 'natural',
  })
})
