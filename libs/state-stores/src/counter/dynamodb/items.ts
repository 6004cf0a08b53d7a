import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { TokenRecord } from '../fold.ts'
import { outcomeFromText, outcomeToText, toBigint } from '../outcome-text.ts'
import type { Counter, CounterName } from '../port.ts'

/**
 * One table, partition key `pk`, sort key `sk`, both strings:
 *
 * | pk | sk | is |
 * |---|---|---|
 * | `counters#<namespace>` | `<name>` | a counter; without `value` it is absent, and the item keeps its versions from coming back |
 * | `namespaces` | `<namespace>/` | makes namespaces be found in order |
 * | `token#<id>` | `token` | a token; `ttl` lets DynamoDB remove it some time after `expiresAtMs`, by which we go |
 * | `format` | `format` | the version of all this |
 */
export type Item = Record<string, AttributeValue>

export const formatVersion = '1'
export const formatKey: Item = { pk: { S: 'format' }, sk: { S: 'format' } }

/** What a counter's item knows beside the counter. */
export interface CounterItem {
  readonly counter: Counter | undefined
  /** The highest ever given. */
  readonly version: bigint
  /** One more with each transaction; the condition of the next. 0n: there is no item. */
  readonly revision: bigint
  /** The latest transactions, oldest first, by the revision they were based on: what became of one whose answer was lost. */
  readonly recent: readonly { readonly batchId: string; readonly base: bigint }[]
  /** How many tokens expire at the end of which part of the window. */
  readonly tally: readonly { readonly expiresAtMs: number; readonly tokens: number }[]
}

export const noItem: CounterItem = { counter: undefined, version: 0n, revision: 0n, recent: [], tally: [] }

export const splitName = (name: CounterName): { namespace: string; rest: string } => {
  const slash = name.indexOf('/')
  return { namespace: name.slice(0, slash), rest: name.slice(slash + 1) }
}

export function counterKey(name: CounterName): Item {
  const { namespace, rest } = splitName(name)
  return { pk: { S: `counters#${namespace}` }, sk: { S: rest } }
}

export const namespaceKey = (namespace: string): Item => ({ pk: { S: 'namespaces' }, sk: { S: `${namespace}/` } })
export const tokenKey = (id: string): Item => ({ pk: { S: `token#${id}` }, sk: { S: 'token' } })

export const number = (value: bigint | number): AttributeValue => ({ N: String(value) })

export function encodeCounter(name: CounterName, { counter, version, revision, recent, tally }: CounterItem): Item {
  return {
    ...counterKey(name),
    version: number(version),
    revision: number(revision),
    recent: { S: recent.map(({ batchId, base }) => `${base}:${batchId}`).join(' ') },
    tally: { S: tally.map(({ expiresAtMs, tokens }) => `${expiresAtMs}:${tokens}`).join(' ') },
    ...(counter && { value: number(counter.value) }),
    ...(counter?.expiresAtMs !== undefined && { expiresAtMs: number(counter.expiresAtMs) }),
  }
}

export function decodeCounter(name: CounterName, item: Item): CounterItem {
  const version = toBigint(item['version']?.N)
  const { value, expiresAtMs } = item
  const expiry = expiresAtMs === undefined ? {} : { expiresAtMs: toTime(expiresAtMs.N) }
  const counter = value === undefined ? undefined : { name, value: toBigint(value.N), version, ...expiry }
  return {
    counter,
    version,
    revision: toBigint(item['revision']?.N),
    recent: pairs(item['recent']).map(([base, batchId]) => ({ base: toBigint(base), batchId })),
    tally: pairs(item['tally']).map(([at, tokens]) => ({ expiresAtMs: toTime(at), tokens: toTime(tokens) })),
  }
}

const pairs = (attribute: AttributeValue | undefined): [string, string][] =>
  (attribute?.S ?? '').split(' ').flatMap((pair) => {
    const [first, second] = pair.split(':')
    return first === undefined || second === undefined ? [] : [[first, second]]
  })

/** Long enough that no clock's error makes DynamoDB remove a token that we still go by. */
const ttlSlackSeconds = 3_600

export function encodeToken(id: string, { fingerprint, expiresAtMs, outcome }: TokenRecord): Item {
  return {
    ...tokenKey(id),
    fingerprint: { S: fingerprint },
    expiresAtMs: number(expiresAtMs),
    outcome: { S: outcomeToText(outcome) },
    ttl: number(Math.ceil(expiresAtMs / 1000) + ttlSlackSeconds),
  }
}

export function decodeToken(item: Item, name: CounterName): TokenRecord {
  return {
    fingerprint: item['fingerprint']?.S ?? '',
    expiresAtMs: toTime(item['expiresAtMs']?.N),
    outcome: outcomeFromText(item['outcome']?.S ?? '', name, false),
  }
}

const toTime = (text: unknown): number => Number(toBigint(text))
