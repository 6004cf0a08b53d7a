import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  PutItemCommand,
  TransactionCanceledException,
  TransactWriteItemsCommand,
  type DynamoDBClient,
  type TransactWriteItem,
} from '@aws-sdk/client-dynamodb'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { fold, tokenId, type TokenLimits } from '../fold.ts'
import type { CounterName, CounterOp, CounterOutcome } from '../port.ts'
import { backoffMs } from '../../backoff.ts'
import { batchGet } from './batch-get.ts'
import { asOutcome } from './client.ts'
import {
  counterKey,
  decodeCounter,
  decodeToken,
  encodeCounter,
  encodeToken,
  namespaceKey,
  noItem,
  number,
  splitName,
  tokenKey,
  type CounterItem,
  type Item,
} from './items.ts'

export interface TransactionOptions {
  readonly client: DynamoDBClient
  readonly table: string
  readonly name: string
  readonly limits: TokenLimits
  readonly resolveMs: number
  readonly random: () => number
  readonly now: () => number
  /** Those that are in the table for sure. */
  readonly namespaces: Set<string>
}

/** A transaction has at most 100 items: the counter and these. */
export const mostTokens = 99
/** Of the transactions before this one, what became of so many can be told. */
const mostRecent = 16
const tallyParts = 60

/** A transaction that was sent, with what it answers if it is applied. */
interface Sent {
  readonly batchId: string
  readonly base: bigint
  readonly items: readonly TransactWriteItem[]
  readonly outcomes: readonly CounterOutcome[]
}

/**
 * Applies operations on one counter, which have at most `mostTokens` tokens, in one transaction on condition that the counter's
 * item has not changed since it was read; if it has, all is done anew.
 *
 * A transaction whose answer is lost is sent again as it is. That is safe: its condition holds at most once. The item then
 * tells by `recent` whether it was applied or another one came first.
 */
export async function applyToCounter(
  name: CounterName,
  ops: readonly CounterOp[],
  options: TransactionOptions,
): Promise<readonly CounterOutcome[]> {
  const deadlineMs = performance.now() + options.resolveMs
  let lost: { readonly sent: Sent; readonly error: Error } | undefined
  let trouble: Error = new NotAppliedError(`${options.name}: others changed ${name} all the time`)
  for (let attempt = 0; attempt === 0 || performance.now() < deadlineMs; attempt++) {
    if (attempt > 0)
      await delay(Math.min(backoffMs(attempt - 1, 500, options.random), Math.max(0, deadlineMs - performance.now())))
    try {
      const state = await load(name, ops, options)
      if (lost !== undefined) {
        const fate = fateOf(lost.sent, state.item)
        if (fate === 'applied') return lost.sent.outcomes
        if (fate === 'unknown') break
        if (fate === 'overtaken') lost = undefined
      }
      const sent = lost?.sent ?? prepare(name, ops, state, options)
      if (sent.items.length === 0) return sent.outcomes
      if (sent.base === 0n) await announce(splitName(name).namespace, options)
      try {
        await send(sent, options)
        return sent.outcomes
      } catch (error) {
        if (isOvertaken(error)) continue
        const outcome = asOutcome(error, options.name)
        if (outcome instanceof OutcomeUnknownError) lost = { sent, error: outcome }
        throw outcome
      }
    } catch (error) {
      trouble = asOutcome(error, options.name)
      // What is refused, or not even sent, is told at once, unless an earlier one is still to be asked after.
      if (lost === undefined)
        throw trouble instanceof OutcomeUnknownError ? new NotAppliedError(trouble.message, { cause: error }) : trouble
    }
  }
  if (lost === undefined) throw trouble
  throw new OutcomeUnknownError(
    `${lost.error.message}; what became of it could not be told within ${options.resolveMs} ms`,
    { cause: trouble },
  )
}

interface State {
  readonly item: CounterItem
  readonly tokens: ReadonlyMap<string, ReturnType<typeof decodeToken>>
}

async function load(
  name: CounterName,
  ops: readonly CounterOp[],
  { client, table }: TransactionOptions,
): Promise<State> {
  const ids = new Set(ops.flatMap(({ token }) => (token === undefined ? [] : [tokenId(token)])))
  const items = await batchGet(client, table, [counterKey(name), ...[...ids].map(tokenKey)])
  const key = counterKey(name)
  const tokens = new Map<string, ReturnType<typeof decodeToken>>()
  let item = noItem
  for (const found of items) {
    const pk = found['pk']?.S ?? ''
    if (pk === key['pk']?.S) item = decodeCounter(name, found)
    else if (pk.startsWith('token#')) tokens.set(pk.slice('token#'.length), decodeToken(found, name))
  }
  return { item, tokens }
}

function fateOf(
  { batchId, base }: Sent,
  { revision, recent }: CounterItem,
): 'applied' | 'not-yet' | 'overtaken' | 'unknown' {
  if (recent.some((each) => each.batchId === batchId)) return 'applied'
  if (revision === base) return 'not-yet'
  return recent.some((each) => each.base === base) ? 'overtaken' : 'unknown'
}

function prepare(
  name: CounterName,
  ops: readonly CounterOp[],
  { item, tokens }: State,
  options: TransactionOptions,
): Sent {
  const { table, limits } = options
  const nowMs = options.now()
  const tally = item.tally.filter(({ expiresAtMs }) => expiresAtMs > nowMs)
  const liveTokens = tally.reduce((sum, each) => sum + each.tokens, 0)
  const { counter } = item
  const counters = { get: () => counter }
  const folded = fold({ counters, tokens, lastVersion: item.version, liveTokens }, ops, nowMs, limits)
  const batchId = randomUUID()
  const base = item.revision
  if (folded.counters.size === 0 && folded.tokens.size === 0)
    return { batchId, base, items: [], outcomes: folded.outcomes }
  const next: CounterItem = {
    counter: folded.counters.has(name) ? folded.counters.get(name) : counter,
    version: folded.lastVersion,
    revision: base + 1n,
    recent: [...item.recent, { batchId, base }].slice(-mostRecent),
    tally: tallied(tally, folded.tokens.size, nowMs, limits.tokenWindowMs),
  }
  const items: TransactWriteItem[] = [
    {
      Put: {
        TableName: table,
        Item: encodeCounter(name, next),
        ...(base === 0n
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : { ConditionExpression: 'revision = :base', ExpressionAttributeValues: { ':base': number(base) } }),
      },
    },
  ]
  for (const [id, record] of folded.tokens) items.push(putToken(table, encodeToken(id, record), nowMs))
  return { batchId, base, items, outcomes: folded.outcomes }
}

const putToken = (table: string, item: Item, nowMs: number): TransactWriteItem => ({
  Put: {
    TableName: table,
    Item: item,
    // Unless another counter's transaction has used it meanwhile.
    ConditionExpression: 'attribute_not_exists(pk) OR expiresAtMs <= :now',
    ExpressionAttributeValues: { ':now': number(nowMs) },
  },
})

function tallied(tally: CounterItem['tally'], tokens: number, nowMs: number, windowMs: number): CounterItem['tally'] {
  if (tokens === 0) return tally
  const partMs = windowMs / tallyParts
  const expiresAtMs = Math.ceil(Math.ceil((nowMs + windowMs) / partMs) * partMs)
  const others = tally.filter((each) => each.expiresAtMs !== expiresAtMs)
  const same = tally.find((each) => each.expiresAtMs === expiresAtMs)
  return [...others, { expiresAtMs, tokens: (same?.tokens ?? 0) + tokens }]
}

/**
 * Before the first counter of a namespace there is its name, so that a scan finds all. Not in the transaction: all new
 * counters of the namespace would be in each other's way.
 */
async function announce(namespace: string, { client, table, namespaces }: TransactionOptions): Promise<void> {
  if (namespaces.has(namespace)) return
  await client.send(new PutItemCommand({ TableName: table, Item: namespaceKey(namespace) }))
  namespaces.add(namespace)
}

async function send({ batchId, items }: Sent, { client }: TransactionOptions): Promise<void> {
  await client.send(new TransactWriteItemsCommand({ ClientRequestToken: batchId, TransactItems: [...items] }))
}

const passing: ReadonlySet<string> = new Set(['None', 'ConditionalCheckFailed', 'TransactionConflict'])

/** Somebody else was there first, or is there now: nothing was applied, and what is there is to be read again. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof TransactionCanceledException &&
  (error.CancellationReasons ?? []).every(({ Code = 'None' }) => passing.has(Code))
