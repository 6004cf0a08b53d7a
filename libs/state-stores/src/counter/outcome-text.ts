import type { CounterName, CounterOutcome, CounterRefusal } from './port.ts'

/**
 * An outcome as one line, kept with its token by stores without a richer format (redis, postgres, dynamodb):
 * `+value,previous,version,expiry` when applied, `-reason` or `-reason,value,version,expiry` (of what stood in the way)
 * when refused; the expiry is empty when there is none. Part of the stored format: the Lua script writes it too.
 */
export function outcomeToText(outcome: CounterOutcome): string {
  if (outcome.ok) return `+${outcome.value},${outcome.previous},${outcome.version},${outcome.expiresAtMs ?? ''}`
  const { reason, current } = outcome
  return `-${reason}${current ? `,${current.value},${current.version},${current.expiresAtMs ?? ''}` : ''}`
}

const refusals: Readonly<Record<CounterRefusal, true>> = {
  overflow: true,
  bound: true,
  version: true,
  'not-found': true,
  'token-mismatch': true,
  'token-window-full': true,
}
const isRefusal = (text: string): text is CounterRefusal => Object.hasOwn(refusals, text)
const digits = /^-?\d+$/

/** Throws `TypeError` on what is no outcome; `name` is the counter's. */
export function outcomeFromText(text: string, name: CounterName, replayed: boolean): CounterOutcome {
  const fields = text.slice(1).split(',')
  if (text.startsWith('+')) {
    const [value, previous, version, expiry] = fields
    return {
      ok: true,
      value: toBigint(value),
      previous: toBigint(previous),
      version: toBigint(version),
      ...toExpiry(expiry),
      replayed,
    }
  }
  const [reason = '', value, version, expiry] = fields
  if (!text.startsWith('-') || !isRefusal(reason)) throw new TypeError(`"${text}" is no outcome`)
  if (value === undefined) return { ok: false, reason, replayed }
  const current = { name, value: toBigint(value), version: toBigint(version), ...toExpiry(expiry) }
  return { ok: false, reason, current, replayed }
}

export function toBigint(text: unknown): bigint {
  if (typeof text !== 'string' || !digits.test(text)) throw new TypeError(`${JSON.stringify(text)} is no whole number`)
  return BigInt(text)
}

function toExpiry(text: string | undefined): { expiresAtMs?: number } {
  return text === undefined || text === '' ? {} : { expiresAtMs: Number(toBigint(text)) }
}
