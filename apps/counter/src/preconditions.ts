import type { CounterOp } from '@ballast/state-stores/counter'
import { problems } from './problems.ts'

/** A strong entity tag: the version changes with every write. */
export const entityTag = (version: bigint): string => `"${version}"`

interface ConditionalHeaders {
  readonly 'if-match'?: string | undefined
  readonly 'if-none-match'?: string | undefined
}

/** The condition of a write (RFC 9110, 13.1): `If-Match: "7"`, `If-Match: *`, `If-None-Match: *`. */
export function writeCondition(headers: ConditionalHeaders): Pick<CounterOp, 'ifVersion'> {
  const { 'if-match': match, 'if-none-match': noneMatch } = headers
  if (match !== undefined && noneMatch !== undefined) throw invalid('If-Match and If-None-Match exclude each other')
  if (noneMatch === '*') return { ifVersion: 0n }
  if (noneMatch !== undefined)
    throw invalid('a write takes If-None-Match: * only, which means: if there is no such counter')
  if (match === undefined) return {}
  if (match === '*') return { ifVersion: 'any' }
  const version = /^"([1-9][0-9]{0,18})"$/.exec(match)?.[1]
  if (version === undefined) throw invalid('If-Match takes one ETag as this service gave it, as in "7", or *')
  return { ifVersion: BigInt(version) }
}

/** Throws on a condition that could only be ignored: a batch has many counters. */
export function refuseConditions(headers: ConditionalHeaders): void {
  for (const name of ['if-match', 'if-none-match'] as const) {
    if (headers[name] !== undefined) throw invalid(`a batch takes no ${name} header: give its operations an ifVersion`)
  }
}

/** Whether a reader has this version already. */
export function isFresh(ifNoneMatch: string | undefined, version: bigint): boolean {
  if (ifNoneMatch === undefined) return false
  const tags = new Set(ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, '')))
  return tags.has('*') || tags.has(entityTag(version))
}

const invalid = (detail: string): Error => problems.create('invalid-precondition', `${detail}.`)
