import type { CounterOp, CounterStore } from '@ballast/state-stores/counter'

const perCommit = 10_000

async function fill(store: CounterStore, count: number, op: (index: number) => CounterOp): Promise<void> {
  for (let at = 0; at < count; at += perCommit) {
    const ops = Array.from({ length: Math.min(perCommit, count - at) }, (_, index) => op(at + index))
    const outcomes = await store.commit(ops)
    if (outcomes.some(({ ok }) => !ok)) throw new Error('the store could not be filled')
  }
}

/** As many counters, with values of some digits. */
export const fillCounters = (store: CounterStore, count: number): Promise<void> =>
  fill(store, count, (index) => ({ kind: 'add', name: `bench/counter-${index}`, by: BigInt(index) * 1_000_003n }))

/** As many keys as the service makes of them: a UUID, and a SHA-256 in hexadecimal digits. */
export const fillTokens = (store: CounterStore, count: number): Promise<void> =>
  fill(store, count, (index) => ({
    kind: 'add',
    name: 'default/counter',
    by: 1n,
    token: {
      scope: 'anonymous default/counter',
      key: `018f0000-0000-7000-8000-${String(index).padStart(12, '0')}`,
      fingerprint: String(index).padStart(64, '0'),
    },
  }))
