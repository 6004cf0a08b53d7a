import type { CounterOp, CounterOutcome, CounterStore, Token } from '../port.ts'

type More<Kind extends CounterOp['kind']> = Partial<Omit<CounterOp & { kind: Kind }, 'kind' | 'name'>>

export const add = (name: string, by: bigint, more: More<'add'> = {}): CounterOp => ({ kind: 'add', name, by, ...more })
export const set = (name: string, to: bigint, more: More<'set'> = {}): CounterOp => ({ kind: 'set', name, to, ...more })
export const remove = (name: string, more: More<'remove'> = {}): CounterOp => ({ kind: 'remove', name, ...more })

export const token = (key: string, fingerprint = 'f'): Token => ({ scope: 's', key, fingerprint })

export async function one(store: CounterStore, op: CounterOp): Promise<CounterOutcome> {
  const [outcome, ...others] = await store.commit([op])
  if (outcome === undefined || others.length > 0) throw new Error('one operation must have one outcome')
  return outcome
}

export const versionOf = async (store: CounterStore, name: string): Promise<bigint> =>
  (await store.read([name]))[0]?.version ?? 0n
