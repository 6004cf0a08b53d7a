import { expect, test } from 'vitest'
import { describeBlobContract } from './contract.ts'
import { bytesOf, name, readAll } from './contract/harness.ts'
import { sha256 } from './hash.ts'
import { MemoryBlobStore } from './memory.ts'

describeBlobContract(
  'memory',
  async (options) => {
    const store = new MemoryBlobStore(options)
    return { store, damage: async (digest, at) => store.damage(digest, at) }
  },
  { durable: false, shared: false, lacks: [] },
)

test('bytes that come again replace a copy whose damage nobody has met yet', async () => {
  await using store = new MemoryBlobStore()
  const bytes = bytesOf(1, 1000)
  await store.put({ name: name('k') }, [bytes])
  store.damage(sha256(bytes))
  expect((await store.put({ name: name('k') }, [bytes])).outcome).toBe('exists')
  expect((await readAll(await store.open(name('k'))))?.equals(bytes)).toBe(true)
})
