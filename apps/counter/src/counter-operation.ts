import type { CounterOp } from '@ballast/state-stores/counter'
import { Type, type Static } from 'typebox'
import { Int64Input, toInt64 } from './numbers.ts'
import { problems } from './problems.ts'

const longestTtlMs = 100 * 365 * 86_400_000

const TtlMs = Type.Optional(
  Type.Union([Type.Integer({ minimum: 1, maximum: longestTtlMs }), Type.Null()], {
    description: 'The counter is gone this many milliseconds from now; null: it stays.',
  }),
)

export const AddBody = Type.Object(
  {
    by: Type.Optional(Int64Input),
    min: Type.Optional(Int64Input),
    max: Type.Optional(Int64Input),
    onBound: Type.Optional(
      Type.Union([Type.Literal('reject'), Type.Literal('saturate')], {
        description: 'An addition that would cross a bound is refused whole (default), or applied as far as the bound.',
      }),
    ),
    ttlMs: TtlMs,
  },
  {
    additionalProperties: false,
    description: 'What to add; 1 when `by` is missing. `max` limits increments, `min` decrements.',
  },
)

export const SetBody = Type.Object({ value: Int64Input, ttlMs: TtlMs }, { additionalProperties: false })

/** What a request asks for. The time to live becomes a point in time only when it is carried out. */
export interface Intent {
  readonly op: CounterOp
  /** `null`: no expiry; missing: as it is. */
  readonly ttlMs?: number | null
}

export function addIntent(name: string, { by = 1, min, max, onBound, ttlMs }: Static<typeof AddBody>): Intent {
  const op: CounterOp & { kind: 'add' } = {
    kind: 'add',
    name,
    by: toInt64(by, 'by'),
    ...(min !== undefined && { min: toInt64(min, 'min') }),
    ...(max !== undefined && { max: toInt64(max, 'max') }),
    ...(onBound !== undefined && { onBound }),
  }
  if (op.min !== undefined && op.max !== undefined && op.min > op.max) {
    throw problems.create('contradicting-bounds', `min is ${op.min} and max is ${op.max}: no value is within them.`)
  }
  return ttlMs === undefined ? { op } : { op, ttlMs }
}

/** A counter is replaced whole: without a time to live the new one has none. */
export const setIntent = (name: string, { value, ttlMs = null }: Static<typeof SetBody>): Intent => ({
  op: { kind: 'set', name, to: toInt64(value, 'value') },
  ttlMs,
})

export const removeIntent = (name: string): Intent => ({ op: { kind: 'remove', name } })

export const withCondition = ({ op, ...rest }: Intent, condition: Pick<CounterOp, 'ifVersion'>): Intent => ({
  op: { ...op, ...condition },
  ...rest,
})

export function operationOf({ op, ttlMs }: Intent, nowMs: number): CounterOp {
  if (ttlMs === undefined || op.kind === 'remove') return op
  return { ...op, expiresAtMs: ttlMs === null ? null : nowMs + ttlMs }
}
