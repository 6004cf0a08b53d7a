import { describeWorkItemContract } from './contract.ts'
import { openMemoryWorkItems } from './memory.ts'

describeWorkItemContract('memory', async () => {
  const store = openMemoryWorkItems({ slots: 256 })
  return {
    store,
    async rewindRows(seconds) {
      for (const row of store.state.rows.values()) row.lastTick -= BigInt(seconds)
    },
    async setValue(id, value) {
      const row = store.state.rows.get(id)
      if (row !== undefined) row.value = value ?? undefined
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
})
