import { waitUntil } from '@ballast/testing'
import type { CounterCapabilities } from '@ballast/state-stores/counter'
import { expect, onTestFinished, test } from 'vitest'
import { watchCaveat } from './watch-caveat.ts'

test('a store that keeps less than it did is warned of once, and told of when it is well again', async () => {
  const said: string[] = []
  const store: { capabilities: CounterCapabilities } = {
    capabilities: { atomicity: 'batch', durable: true, clock: 'store' },
  }
  const log = { warn: (caveat: string) => said.push(`warn ${caveat}`), info: (text: string) => said.push(text) }
  onTestFinished(watchCaveat(store, log, 5))
  expect(said).toEqual([])
  store.capabilities = { atomicity: 'batch', durable: false, clock: 'store', caveat: 'a restart forgets' }
  await waitUntil(() => said.length > 0)
  store.capabilities = { atomicity: 'batch', durable: true, clock: 'store' }
  await waitUntil(() => said.length > 1)
  expect(said).toEqual(['warn a restart forgets', 'the store keeps what it answers again'])
})
