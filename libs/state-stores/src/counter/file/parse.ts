import { isCounterName } from '../check-ops.ts'
import type { TokenRecord } from '../fold.ts'
import { fits64Bits, type Counter, type CounterName, type CounterOutcome, type CounterRefusal } from '../port.ts'

/** What is read from disk is checked field by field; each of these throws with what is wrong. */
export function toCounter(name: CounterName, fields: Readonly<Record<string, unknown>>): Counter {
  if (!isCounterName(name)) throw new TypeError(`"${name}" is no name of a counter`)
  const { value, version, expiresAtMs } = fields
  const expiry = expiresAtMs === undefined ? {} : { expiresAtMs: toTime(expiresAtMs) }
  return { name, value: toBigint(value), version: toBigint(version), ...expiry }
}

export function toToken([id, fingerprint, expiresAtMs, answer, current]: readonly unknown[]): [string, TokenRecord] {
  return [
    toText(id),
    { fingerprint: toText(fingerprint), expiresAtMs: toTime(expiresAtMs), outcome: toOutcome(answer, current) },
  ]
}

const refusals: ReadonlySet<string> = new Set<CounterRefusal>(['overflow', 'bound', 'version', 'not-found'])
const isRefusal = (reason: string): reason is CounterRefusal => refusals.has(reason)

function toOutcome(answer: unknown, current: unknown): CounterOutcome {
  if (Array.isArray(answer)) {
    const [value, previous, version, expiresAtMs] = toList(answer)
    const expiry = expiresAtMs === null ? {} : { expiresAtMs: toTime(expiresAtMs) }
    return {
      ok: true,
      value: toBigint(value),
      previous: toBigint(previous),
      version: toBigint(version),
      ...expiry,
      replayed: false,
    }
  }
  const reason = toText(answer)
  if (!isRefusal(reason)) throw new TypeError(`"${reason}" is no outcome`)
  if (current === undefined) return { ok: false, reason, replayed: false }
  const fields = toRecord(current)
  return { ok: false, reason, current: toCounter(toText(fields['name']), fields), replayed: false }
}

export function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('an object is missing')
  return { ...value }
}

export function toList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('a list is missing')
  return value
}

export function toText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text is missing')
  return value
}

export function toTime(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new TypeError('a whole number is missing')
  return value
}

export function toBigint(value: unknown): bigint {
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) throw new TypeError('a number is missing')
  const number = BigInt(value)
  if (!fits64Bits(number)) throw new TypeError(`${value} does not fit 64 bits`)
  return number
}
