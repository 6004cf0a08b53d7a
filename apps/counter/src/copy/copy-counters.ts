import { randomUUID } from 'node:crypto'
import type { Counter, CounterOp, CounterStore } from '@ballast/state-stores/counter'
import { pairs, type Pair } from './pairs.ts'

export interface CopyResult {
  readonly copied: number
  /** Were there already: of an earlier run that was broken off. */
  readonly present: number
  /** One sentence each. Before copying: why nothing was copied; after it: what is not equal. */
  readonly refused: readonly string[]
  readonly differences: readonly string[]
}

export interface CopyOptions {
  readonly overwrite: boolean
  readonly onProgress?: (copied: number) => void
}

const batchSize = 500
/** Removed counters had versions that nobody can see any more; so many operations may have followed on the last one seen. */
const versionGap = 10n ** 12n

/**
 * Copies value and expiry of every counter. Its version in the target is above every one it can have had in the source, so
 * no condition from before the move can hold by accident afterwards; so is that of counters which were removed in the
 * source and are made anew in the target, where versions are of the store (atomicity 'batch'). Every write is a `set` to
 * a known value: a copy that was broken off is finished by running it again.
 */
export async function copyCounters(
  source: CounterStore,
  target: CounterStore,
  options: CopyOptions,
): Promise<CopyResult> {
  const plan = await look(source, target)
  const none = { copied: 0, present: plan.present, differences: [] }
  if (plan.others.length > 0 && !options.overwrite) return { ...none, refused: plan.others }
  const above = max(plan.highest, BigInt(Date.now()) * 1_000n) + versionGap
  let copied = 0
  let batch: CounterOp[] = []
  const flush = async (): Promise<void> => {
    const outcomes = await target.commit(batch)
    const refused = outcomes.findIndex(({ ok }) => !ok)
    if (refused >= 0) throw new Error(`${batch[refused]?.name} was refused by the target`)
    copied += batch.length
    batch = []
    options.onProgress?.(copied)
  }
  if (target.capabilities.atomicity === 'batch') await raiseVersions(target, above)
  for await (const pair of pairs(source, target)) {
    const [counter] = pair
    if (counter === undefined || isCopied(pair)) continue
    const { name, value, expiresAtMs = null } = counter
    batch.push({ kind: 'set', name, to: value, expiresAtMs, aboveVersion: above })
    if (batch.length === batchSize) await flush()
  }
  if (batch.length > 0) await flush()
  const differences: string[] = []
  for await (const pair of pairs(source, target)) {
    if (pair[0] !== undefined && !isEqual(pair)) differences.push(describe(pair))
  }
  return { copied, present: plan.present, refused: [], differences }
}

async function look(source: CounterStore, target: CounterStore) {
  const others: string[] = []
  let [present, highest] = [0, 0n]
  for await (const pair of pairs(source, target)) {
    const [from, to] = pair
    highest = max(highest, from?.version ?? 0n)
    if (to === undefined) continue
    if (isCopied(pair)) present += 1
    else if (!isEqual(pair)) others.push(describe(pair))
  }
  return { others, present, highest }
}

/** All versions given later are above this one, also when there is nothing to copy: a counter comes and goes in one commit. */
async function raiseVersions(target: CounterStore, aboveVersion: bigint): Promise<void> {
  const name = `copy/${randomUUID()}`
  await target.commit([
    { kind: 'set', name, to: 0n, aboveVersion },
    { kind: 'remove', name },
  ])
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)

const isEqual = ([a, b]: Pair): boolean => a?.value === b?.value && a?.expiresAtMs === b?.expiresAtMs

/** Equal is not enough: under a lower version of its own, one from before the move could come true in the target. */
const isCopied = (pair: Pair): boolean => isEqual(pair) && (pair[1]?.version ?? 0n) > (pair[0]?.version ?? 0n)

function describe([from, to]: Pair): string {
  return `${from?.name ?? to?.name} is ${show(from)} in the source and ${show(to)} in the target`
}

function show(counter: Counter | undefined): string {
  if (counter === undefined) return 'missing'
  return counter.expiresAtMs === undefined ? `${counter.value}` : `${counter.value} until ${counter.expiresAtMs}`
}
