import { describeBlobContract } from './contract.ts'
import { MemoryBlobStore } from './memory.ts'

describeBlobContract(
  'memory',
  async (options) => {
    const store = new MemoryBlobStore(options)
    return { store, damage: async (digest, at) => store.damage(digest, at) }
  },
  { durable: false, shared: false, lacks: [] },
)
