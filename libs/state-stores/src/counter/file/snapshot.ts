import type { TokenRecord } from '../fold.ts'
import { isCounterName } from '../check-ops.ts'
import { fits64Bits, type Counter, type CounterName, type CounterOutcome, type CounterRefusal } from '../port.ts'
import { CounterState } from '../state.ts'

/**
 * The file: one JSON document, one line per counter and per token, numbers that JSON would round as strings.
 *
 * ```
 * {"format":"ballast-counter","formatVersion":1,"commit":3,"lastVersion":"3","writtenAtMs":1763712000000,
 * "counters":{
 * "default/counter":{"value":"2","version":"3"}
 * },
 * "tokens":[
 * ["7:default","k1","<fingerprint>",1763712600000,["2","1","3",null]]
 * ]}
 * ```
 */
export const formatVersion = 1

export interface Snapshot {
  readonly state: CounterState
  /** Goes up by one with each content of the file, so that it tells which of two it is. */
  readonly commit: number
}

export interface Header {
  readonly commit: number
  readonly lastVersion: bigint
  readonly writtenAtMs: number
}

export const headerLine = ({ commit, lastVersion, writtenAtMs }: Header): string =>
  `${JSON.stringify({ format: 'ballast-counter', formatVersion, commit, lastVersion: String(lastVersion), writtenAtMs }).slice(0, -1)},\n`

const withoutName = ({ value, version, expiresAtMs }: Counter): object => ({
  value: String(value),
  version: String(version),
  expiresAtMs,
})

export const counterLine = (counter: Counter): string => `"${counter.name}":${JSON.stringify(withoutName(counter))}`

export function tokenLine(id: string, { fingerprint, expiresAtMs, outcome }: TokenRecord): string {
  const answer = outcome.ok
    ? [[String(outcome.value), String(outcome.previous), String(outcome.version), outcome.expiresAtMs ?? null]]
    : [outcome.reason, ...(outcome.current ? [{ name: outcome.current.name, ...withoutName(outcome.current) }] : [])]
  return JSON.stringify([id, fingerprint, expiresAtMs, ...answer])
}

/** A bare number, {"count":n} or {"counter":n}: the file of a program that had one counter. Digits, not JSON: n may exceed 2^53. */
const singleCounter = /^\s*(?:\{\s*"count(?:er)?"\s*:\s*(-?\d+)\s*\}|(-?\d+))\s*$/

/** Where the counter of such a file goes. */
export const defaultCounter: CounterName = 'default/counter'

/** Throws with what is wrong; whoever calls knows the file's name. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  const single = singleCounter.exec(text)
  const state = new CounterState()
  if (single !== null) {
    const counter = { name: defaultCounter, value: toBigint(single[1] ?? single[2]), version: 1n }
    state.merge({ counters: new Map([[counter.name, counter]]), tokens: new Map(), lastVersion: 1n })
    return { state, commit: 0 }
  }
  const root = toRecord(JSON.parse(text))
  if (root['format'] !== 'ballast-counter') throw new TypeError('it has another format')
  if (root['formatVersion'] !== formatVersion) {
    throw new TypeError(`its format version is ${String(root['formatVersion'])}, this release reads ${formatVersion}`)
  }
  const counters = new Map<CounterName, Counter>()
  for (const [name, fields] of Object.entries(toRecord(root['counters'])))
    counters.set(name, toCounter(name, toRecord(fields)))
  const tokens = new Map<string, TokenRecord>()
  for (const fields of toList(root['tokens'])) {
    const [id, record] = toToken(toList(fields))
    // A token that was used again after its window comes twice: the later one counts, at its own place in the order.
    tokens.delete(id)
    tokens.set(id, record)
  }
  const lastVersion = toBigint(root['lastVersion'])
  checkVersions(counters, tokens, lastVersion)
  state.merge({ counters, tokens, lastVersion })
  state.advance(toTime(root['writtenAtMs']))
  return { state, commit: toTime(root['commit']) }
}

/** A version that is given twice would let a stale condition hold. */
function checkVersions(counters: Map<CounterName, Counter>, tokens: Map<string, TokenRecord>, last: bigint): void {
  for (const { name, version } of counters.values()) {
    if (version > last) throw new TypeError(`${name} has version ${version}, behind the last one, ${last}`)
  }
  for (const { outcome } of tokens.values()) {
    if (outcome.ok && outcome.version > last) {
      throw new TypeError(`a token has version ${outcome.version}, behind the last one, ${last}`)
    }
  }
}

function toCounter(name: CounterName, fields: Readonly<Record<string, unknown>>): Counter {
  if (!isCounterName(name)) throw new TypeError(`"${name}" is no name of a counter`)
  const { value, version, expiresAtMs } = fields
  const expiry = expiresAtMs === undefined ? {} : { expiresAtMs: toTime(expiresAtMs) }
  return { name, value: toBigint(value), version: toBigint(version), ...expiry }
}

function toToken([id, fingerprint, expiresAtMs, answer, current]: readonly unknown[]): [string, TokenRecord] {
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

function toRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('an object is missing')
  return { ...value }
}

function toList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new TypeError('a list is missing')
  return value
}

function toText(value: unknown): string {
  if (typeof value !== 'string') throw new TypeError('a text is missing')
  return value
}

function toTime(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new TypeError('a whole number is missing')
  return value
}

function toBigint(value: unknown): bigint {
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) throw new TypeError('a number is missing')
  const number = BigInt(value)
  if (!fits64Bits(number)) throw new TypeError(`${value} does not fit 64 bits`)
  return number
}
