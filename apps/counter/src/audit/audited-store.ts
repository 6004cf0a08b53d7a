import { hash } from 'node:crypto'
import type { CounterOp, CounterOutcome } from '@ballast/state-stores/counter'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import { refine, type AttributedStore } from '../attributed-store.ts'
import type { AuditLog } from './audit-log.ts'
import type { Ledger } from './ledger.ts'
import type { AuditRecord } from './record.ts'

/**
 * Writes down every change, durably, after it was committed and before anybody is answered. So each answered change is in
 * the log; one that was committed by a process that died before it wrote it down was answered nobody, and is stated when
 * the log is opened the next time. (Before the commit, the log would tell of changes that never happened.) While the log
 * cannot be written, changes are refused; the ones that were committed already are `OutcomeUnknownError`: under the same
 * token they are answered once the log has them.
 */
export const auditedStore = (store: AttributedStore, log: AuditLog): AttributedStore =>
  refine(store, {
    async commit(ops, by) {
      await log.check().catch((cause: unknown) => {
        throw new NotAppliedError('the audit log cannot be written', { cause })
      })
      const outcomes = await store.commit(ops, by)
      const records = changesOf(ops, outcomes, by, store.nowMs())
      if (records.length === 0) return outcomes
      await log.append(records).catch((cause: unknown) => {
        throw new OutcomeUnknownError('committed, but the audit log could not be written', { cause })
      })
      return outcomes
    },
    async check() {
      await store.check()
      await log.check()
    },
  })

function changesOf(
  ops: readonly CounterOp[],
  outcomes: readonly CounterOutcome[],
  by: string,
  atMs: number,
): AuditRecord[] {
  return ops.flatMap(({ kind: op, name, token }, index) => {
    const outcome = outcomes[index]
    if (outcome?.ok !== true || outcome.replayed) return []
    const { value, previous, version, expiresAtMs } = outcome
    const digest = token && hash('sha256', `${token.scope}\n${token.key}`).slice(0, 16)
    return [
      {
        atMs,
        op,
        name,
        delta: value - previous,
        value,
        version,
        ...(expiresAtMs !== undefined && { expiresAtMs }),
        by,
        ...(digest !== undefined && { token: digest }),
      },
    ]
  })
}

const pageSize = 1_000

/** Writes down what the store holds and the log does not know of; returns how many counters that were. */
export async function reconcile(store: AttributedStore, ledger: Ledger, log: AuditLog): Promise<number> {
  const nowMs = store.nowMs()
  const missing = new Map([...ledger.balances()].map((balance) => [balance.name, balance]))
  let statements = 0
  const state = async (records: readonly Omit<AuditRecord, 'atMs' | 'op' | 'by'>[]): Promise<void> => {
    statements += records.length
    if (records.length > 0) {
      await log.append(records.map((record) => ({ atMs: nowMs, op: 'statement', by: 'counter', ...record })))
    }
  }
  for (let after: string | undefined, page; page === undefined || page.length === pageSize;) {
    page = await store.scan({ limit: pageSize, ...(after !== undefined && { after }) })
    after = page.at(-1)?.name
    const unknown = page.filter((counter) => {
      const balance = ledger.balance(counter.name)
      missing.delete(counter.name)
      return balance === undefined || balance.version !== counter.version || balance.sum !== counter.value
    })
    await state(
      unknown.map((counter) => ({ ...counter, delta: counter.value - (ledger.balance(counter.name)?.sum ?? 0n) })),
    )
  }
  const gone = [...missing.values()].filter((balance) => !ledger.agrees(balance, undefined, nowMs))
  await state(gone.map(({ name, sum, version }) => ({ name, value: 0n, delta: -sum, version, absent: true })))
  return statements
}
