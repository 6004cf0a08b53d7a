import {
  fits64Bits,
  type Counter,
  type CounterName,
  type CounterOp,
  type CounterOutcome,
  type CounterRefusal,
  type Token,
} from './port.ts'

/** What a store keeps of a token: enough to answer its next use. */
export interface TokenRecord {
  readonly fingerprint: string
  /** From then on the token is as good as never used. */
  readonly expiresAtMs: number
  readonly outcome: CounterOutcome
}

/** The state a fold starts from: all of it, or at least every counter and token its operations name. */
export interface FoldState {
  readonly counters: { get(name: CounterName): Counter | undefined }
  readonly tokens: { get(id: string): TokenRecord | undefined }
  /** The highest version ever given; the next one is one more. */
  readonly lastVersion: bigint
  /** Tokens in use now, for the cap. */
  readonly liveTokens: number
}

export interface TokenLimits {
  readonly tokenWindowMs: number
  readonly maxTokens: number
}

/** What changes; whoever has made it durable merges it into his state. */
export interface Folded {
  readonly outcomes: readonly CounterOutcome[]
  /** `undefined` for a removed counter. */
  readonly counters: ReadonlyMap<CounterName, Counter | undefined>
  readonly tokens: ReadonlyMap<string, TokenRecord>
  readonly lastVersion: bigint
}

export const isLive = ({ expiresAtMs }: Counter, nowMs: number): boolean =>
  expiresAtMs === undefined || nowMs < expiresAtMs

/** One string for (scope, key); the length keeps ("a", "bc") and ("ab", "c") apart. */
export const tokenId = ({ scope, key }: Token): string => `${scope.length}:${scope}${key}`

const requestId = ({ scope, fingerprint }: Token): string => `${scope.length}:${scope}${fingerprint}`

/**
 * Applies operations in order: the one definition of what a counter does, for every store that can load the counters
 * and tokens of a batch, and write the result in one step. Pure; O(operations).
 */
export function fold(state: FoldState, ops: readonly CounterOp[], nowMs: number, limits: TokenLimits): Folded {
  const counters = new Map<CounterName, Counter | undefined>()
  const tokens = new Map<string, TokenRecord>()
  const mismatched = new Set<string>()
  let { lastVersion, liveTokens } = state

  const find = (name: CounterName): Counter | undefined => {
    const counter = counters.has(name) ? counters.get(name) : state.counters.get(name)
    return counter !== undefined && isLive(counter, nowMs) ? counter : undefined
  }
  const execute = (op: CounterOp): CounterOutcome => {
    const current = find(op.name)
    const next = transition(op, current)
    if (typeof next === 'string') return { ok: false, reason: next, ...(current && { current }), replayed: false }
    if (op.kind === 'set' && op.aboveVersion !== undefined && op.aboveVersion > lastVersion)
      lastVersion = op.aboveVersion
    lastVersion += 1n
    const expiry = next.expiresAtMs === undefined ? {} : { expiresAtMs: next.expiresAtMs }
    const { value } = next
    counters.set(op.name, op.kind === 'remove' ? undefined : { name: op.name, value, version: lastVersion, ...expiry })
    return { ok: true, value, previous: current?.value ?? 0n, version: lastVersion, ...expiry, replayed: false }
  }
  const executeOnce = (op: CounterOp, token: Token): CounterOutcome => {
    const id = tokenId(token)
    const known = tokens.get(id) ?? state.tokens.get(id)
    const request = requestId(token)
    const isUsed = known !== undefined && nowMs < known.expiresAtMs
    if (mismatched.has(request) || (isUsed && known.fingerprint !== token.fingerprint)) {
      mismatched.add(request)
      return { ok: false, reason: 'token-mismatch', replayed: false }
    }
    if (isUsed) return { ...known.outcome, replayed: true }
    if (liveTokens >= limits.maxTokens) return { ok: false, reason: 'token-window-full', replayed: false }
    const outcome = execute(op)
    liveTokens += 1
    tokens.set(id, { fingerprint: token.fingerprint, expiresAtMs: nowMs + limits.tokenWindowMs, outcome })
    return outcome
  }

  const outcomes = ops.map((op) => (op.token === undefined ? execute(op) : executeOnce(op, op.token)))
  return { outcomes, counters, tokens, lastVersion }
}

interface Next {
  readonly value: bigint
  readonly expiresAtMs: number | undefined
}

function transition(op: CounterOp, current: Counter | undefined): Next | CounterRefusal {
  if (
    op.ifVersion === 'any'
      ? current === undefined
      : op.ifVersion !== undefined && op.ifVersion !== (current?.version ?? 0n)
  ) {
    return 'version'
  }
  if (op.kind === 'remove') return current === undefined ? 'not-found' : { value: 0n, expiresAtMs: undefined }
  const value = op.kind === 'set' ? op.to : added(op, current?.value ?? 0n)
  if (typeof value === 'string') return value
  if (!fits64Bits(value)) return 'overflow'
  return { value, expiresAtMs: op.expiresAtMs === undefined ? current?.expiresAtMs : (op.expiresAtMs ?? undefined) }
}

/** A bound stops movement towards it and never moves the value itself: one that is beyond it already may come back. */
function added(
  { by, min, max, onBound = 'reject' }: CounterOp & { kind: 'add' },
  from: bigint,
): bigint | CounterRefusal {
  const to = from + by
  const crossed =
    by > 0n && max !== undefined && to > max ? max : by < 0n && min !== undefined && to < min ? min : undefined
  if (crossed === undefined) return to
  if (onBound === 'reject') return 'bound'
  return by > 0n ? (from > crossed ? from : crossed) : from < crossed ? from : crossed
}
