import type { Problem } from '@ballast/service'
import type { CounterOutcome, CounterRefusal } from '@ballast/state-stores/counter'
import { problems, type ProblemCode } from './problems.ts'
import { counterView } from './representation.ts'

type Refused = CounterOutcome & { ok: false }

const codes: Readonly<Record<CounterRefusal, ProblemCode>> = {
  overflow: 'counter-overflow',
  bound: 'bound-reached',
  version: 'version-mismatch',
  'not-found': 'counter-not-found',
  'token-mismatch': 'idempotency-key-reused',
  'token-window-full': 'token-window-full',
}

export const codeOf = (reason: CounterRefusal): ProblemCode => codes[reason]

const details: Readonly<Record<CounterRefusal, (name: string, found: string) => string>> = {
  overflow: (_, found) => `${found}; the result would be outside -(2^63) to 2^63 - 1.`,
  bound: (_, found) => `${found}; the addition would cross the bound you gave. Add less, or say "onBound":"saturate".`,
  version: (_, found) => `${found}, which is not what the request asked for. Read it again and decide anew.`,
  'not-found': (name) => `${name} does not exist.`,
  'token-mismatch': () =>
    'The Idempotency-Key belongs to another request of yours. Use a fresh one for each new request.',
  'token-window-full': () =>
    'As many keys as this store takes are remembered. Retry later with the same key, or write without one.',
}

export function detailOf(name: string, { reason, current }: Refused): string {
  const found =
    current === undefined ? `${name} does not exist` : `${name} is ${current.value} at version ${current.version}`
  return details[reason](name, found)
}

/** The answer to a write that was refused; `current` tells what stood in its way. */
export function refusalProblem(name: string, outcome: Refused): Problem {
  const headers: Record<string, string> = {}
  if (outcome.replayed) headers['idempotency-replayed'] = 'true'
  if (outcome.reason === 'token-window-full') headers['retry-after'] = '5'
  const extensions = outcome.current === undefined ? {} : { current: counterView(outcome.current) }
  return problems.create(codes[outcome.reason], detailOf(name, outcome), { headers, extensions })
}
