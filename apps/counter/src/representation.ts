import type { Counter, CounterOutcome } from '@ballast/state-stores/counter'
import { Type, type Static } from 'typebox'
import { Int64Output } from './numbers.ts'

const identity = { namespace: Type.String(), name: Type.String() }
const state = {
  value: Int64Output,
  version: Int64Output,
  expiresAtMs: Type.Optional(Type.Integer({ description: 'Unix time in milliseconds.' })),
}

export const CounterView = Type.Object({ ...identity, ...state })
export const AppliedView = Type.Object({
  ...identity,
  ...state,
  previous: Type.String({ description: 'The value before; the difference is what was applied.' }),
})

export const AcceptedView = Type.Object(
  { ...identity, accepted: Int64Output, lossWindowMs: Type.Integer() },
  { description: 'Of a buffered counter: it will be added within this time, and is lost if the process dies before.' },
)

export function split(name: string): { namespace: string; name: string } {
  const slash = name.indexOf('/')
  return { namespace: name.slice(0, slash), name: name.slice(slash + 1) }
}

interface Versioned {
  readonly value: bigint
  readonly version: bigint
  readonly expiresAtMs?: number
}

const stateView = ({ value, version, expiresAtMs }: Versioned) => ({
  value: String(value),
  version: String(version),
  ...(expiresAtMs !== undefined && { expiresAtMs }),
})

export const counterView = (counter: Counter): Static<typeof CounterView> => ({
  ...split(counter.name),
  ...stateView(counter),
})

export const appliedView = (name: string, outcome: CounterOutcome & { ok: true }): Static<typeof AppliedView> => ({
  ...split(name),
  ...stateView(outcome),
  previous: String(outcome.previous),
})
