import { describeLeaseContract } from './contract.ts'
import { MemoryLeaseStore } from './memory.ts'
import { fencedInMemory } from './test/fenced-memory.ts'

describeLeaseContract('memory', async () => {
  const store = new MemoryLeaseStore()
  return {
    open: async () => store,
    openFenced: async () => fencedInMemory(store),
    forget: async (key) => store.forget(key),
    [Symbol.asyncDispose]: async () => {},
  }
})
