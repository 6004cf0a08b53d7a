import type { FencedStore } from '../contract.ts'
import type { MemoryLeaseStore } from '../memory.ts'
import { sameFence } from '../port.ts'

/** Nothing can come between the check and the write: neither is asynchronous. */
export function fencedInMemory(leases: MemoryLeaseStore): FencedStore {
  const data = new Map<string, string>()
  return {
    async write(key, fence, value) {
      const current = leases.currentFence(key)
      if (current === undefined || !sameFence(current, fence)) return false
      data.set(key, value)
      return true
    },
    read: async (key) => data.get(key),
    [Symbol.asyncDispose]: async () => {},
  }
}
