import { describeWorkerRegistryContract } from './contract.ts'
import { memoryWorkerRegistry } from './memory.ts'

describeWorkerRegistryContract('memory', async (now) => memoryWorkerRegistry({ now }))
