import type { TokenLimits } from '../fold.ts'
import { tokenId } from '../fold.ts'
import { outcomeFromText } from '../outcome-text.ts'
import type { CounterName, CounterOp, CounterOutcome } from '../port.ts'
import type { RedisKeys } from './keys.ts'

/** How long the answer to a batch is kept for those who lost it, and how long one that was voided stays void. */
export const batchLifeMs = 600_000

export interface EncodedBatch {
  readonly keys: readonly string[]
  readonly args: readonly (string | number)[]
}

/** The arguments of `commitScript`. */
export function encodeBatch(
  keys: RedisKeys,
  batchId: string,
  ops: readonly CounterOp[],
  { tokenWindowMs, maxTokens }: TokenLimits,
  now: string,
): EncodedBatch {
  const indexes = new Map<CounterName, number>()
  for (const { name } of ops) if (!indexes.has(name)) indexes.set(name, indexes.size + 1)
  const names = [...indexes.keys()]
  const args: (string | number)[] = [
    now,
    tokenWindowMs,
    maxTokens,
    batchLifeMs,
    keys.counter(''),
    names.length,
    ...names,
  ]
  for (const op of ops) args.push(indexes.get(op.name) ?? 0, ...operationFields(op))
  const { meta, names: index, expiring, tokens, tokenExpiries } = keys
  return { keys: [meta, index, expiring, tokens, tokenExpiries, keys.batch(batchId), ...names.map(keys.counter)], args }
}

function operationFields(op: CounterOp): string[] {
  const { token } = op
  const amount = op.kind === 'add' ? op.by : op.kind === 'set' ? op.to : ''
  // The place of `min` is that of the version to stay above, where an operation has no bounds.
  const floor = op.kind === 'set' ? (op.aboveVersion ?? '') : ''
  const bounds = op.kind === 'add' ? [op.min ?? '', op.max ?? '', op.onBound === 'saturate' ? 1 : ''] : [floor, '', '']
  const expiry = op.kind === 'remove' || op.expiresAtMs === undefined ? '' : (op.expiresAtMs ?? 'none')
  const request = token === undefined ? '' : tokenId({ ...token, key: token.fingerprint })
  const tokenFields = token === undefined ? ['', ''] : [tokenId(token), token.fingerprint]
  return [op.kind, amount, ...bounds, expiry, op.ifVersion ?? '', ...tokenFields, request].map(String)
}

/** The server's time and the outcomes. */
export function decodeAnswer(text: string, ops: readonly CounterOp[]): { nowMs: number; outcomes: CounterOutcome[] } {
  const [now, ...lines] = text.split('\n')
  if (lines.length !== ops.length) throw new TypeError(`${lines.length} answers for ${ops.length} operations`)
  const outcomes = ops.map(({ name }, index) => {
    const line = lines[index] ?? ''
    return line.startsWith('=') ? outcomeFromText(line.slice(1), name, true) : outcomeFromText(line, name, false)
  })
  return { nowMs: Number(now), outcomes }
}
