import { describeStreamContract } from './contract.ts'
import { describePartitionContract } from './contract-partitions.ts'
import { memoryStream } from './memory.ts'

describeStreamContract('memory', async (_name, options) => memoryStream(options), {
  durability: { fsyncedLocal: false, replicas: 0, volatile: true },
  shared: false,
})
describePartitionContract('memory', async (_name, options) => memoryStream(options))
