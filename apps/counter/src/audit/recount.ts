import type { CounterStore } from '@ballast/state-stores/counter'
import { Ledger } from './ledger.ts'
import { readAuditLog } from './read-audit-log.ts'
import type { AuditRecord } from './record.ts'

export interface Recount {
  readonly counters: number
  readonly records: number
  /** See `AuditRecord.op`. */
  readonly stated: number
  readonly tornBytes: number
  /** One sentence each; empty: every counter is the sum of its changes. */
  readonly differences: readonly string[]
}

/**
 * Compares every counter of a store that nobody writes to with the sum of what its logs tell. Several logs, of several
 * processes, are put in the order of versions; that keeps all of their records in memory.
 */
export async function recount(store: CounterStore, paths: readonly string[]): Promise<Recount> {
  const ledger = new Ledger({ isMerged: paths.length > 1 })
  const differences: string[] = []
  const enter = (record: AuditRecord): void => {
    const problem = ledger.enter(record)
    if (problem !== undefined) differences.push(problem)
  }
  const several: AuditRecord[] = []
  const visit = paths.length === 1 ? enter : (record: AuditRecord) => void several.push(record)
  let tornBytes = 0
  for (const path of paths) tornBytes += (await readAuditLog(path, visit)).tornBytes
  for (const record of several.toSorted(byVersion)) enter(record)
  let counters = 0
  const seen = new Set<string>()
  for (let after: string | undefined; ;) {
    const page = await store.scan({ limit: 1_000, ...(after !== undefined && { after }) })
    for (const counter of page) {
      seen.add(counter.name)
      const balance = ledger.balance(counter.name)
      if (balance?.sum === counter.value && balance.version === counter.version) continue
      const told =
        balance === undefined ? 'tells nothing of it' : `adds up to ${balance.sum} at version ${balance.version}`
      differences.push(`${counter.name} is ${counter.value} at version ${counter.version}, but the log ${told}`)
    }
    counters += page.length
    after = page.at(-1)?.name
    if (after === undefined) break
  }
  for (const balance of ledger.balances()) {
    if (seen.has(balance.name)) continue
    if (balance.isStatedAbsent && balance.sum !== 0n) ledger.stated += 1
    if (!ledger.agrees(balance, undefined, store.nowMs())) {
      differences.push(`${balance.name} is gone, but the log adds up to ${balance.sum}`)
    }
  }
  return { counters, records: ledger.records, stated: ledger.stated, tornBytes, differences }
}

/** Statements come after the changes they may repeat. */
function byVersion(a: AuditRecord, b: AuditRecord): number {
  if (a.version !== b.version) return a.version < b.version ? -1 : 1
  return Number(a.op === 'statement') - Number(b.op === 'statement')
}
