import { describeDocumentStoreContract } from './contract.ts'
import { memoryDocumentStore } from './memory.ts'

describeDocumentStoreContract('memory', async () => memoryDocumentStore(), { commandTimes: true })
