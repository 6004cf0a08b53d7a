import type { Counter } from '@ballast/state-stores/counter'
import type { AuditRecord } from './record.ts'

interface Account {
  sum: bigint
  version: bigint
  expiresAtMs: number | undefined
  /** Statements that were more than what the log knew. */
  stated: number
  /** When a log found it absent, and nothing has explained that yet. */
  absentAtMs: number | undefined
}

/** What the logs say a counter must be. */
export interface Balance {
  readonly name: string
  readonly sum: bigint
  readonly version: bigint
  readonly expiresAtMs: number | undefined
  /** A log found it absent, and none tells of its end. */
  readonly isStatedAbsent: boolean
}

/**
 * Adds up audit records; those of one counter in the order of their versions.
 *
 * A counter that was found absent has no version to find the place of that statement by, among the records of several
 * logs: others may have changed and then removed it. So of merged logs the statement counts only where nothing
 * else leads to the absence.
 */
export class Ledger {
  readonly #isMerged: boolean
  readonly #accounts = new Map<string, Account>()
  records = 0
  /** Differences that a log itself tells of: changes nobody was answered for, or from before the log. */
  stated = 0

  constructor({ isMerged = false } = {}) {
    this.#isMerged = isMerged
  }

  enter({ op, name, delta, value, version, atMs, expiresAtMs, absent }: AuditRecord): string | undefined {
    this.records += 1
    const account = this.#accounts.get(name) ?? newAccount()
    this.#accounts.set(name, account)
    if (op === 'statement') {
      if (absent === true && this.#isMerged) {
        account.absentAtMs = Math.max(atMs, account.absentAtMs ?? 0)
        return undefined
      }
      // Of several logs one may tell what another one has written down.
      if (account.version >= version && account.sum === value) return undefined
      this.stated += 1
      Object.assign(account, { sum: value, version, expiresAtMs })
      return undefined
    }
    const previous = value - delta
    const isExpired = account.expiresAtMs !== undefined && account.expiresAtMs <= atMs && previous === 0n
    if (isExpired) account.sum = 0n
    if (account.absentAtMs !== undefined) {
      const isFirstOfNew = previous === 0n && account.sum !== 0n
      if (isFirstOfNew) {
        this.stated += 1
        account.sum = 0n
      }
      if (isFirstOfNew || atMs > account.absentAtMs) account.absentAtMs = undefined
    }
    const problem =
      account.sum === previous
        ? undefined
        : `${name} was ${account.sum}, and version ${version} found it at ${previous}`
    Object.assign(account, {
      sum: account.sum + delta,
      version,
      expiresAtMs: op === 'remove' ? undefined : expiresAtMs,
    })
    return problem
  }

  balance(name: string): Balance | undefined {
    const account = this.#accounts.get(name)
    return account && toBalance(name, account)
  }

  *balances(): Generator<Balance> {
    for (const [name, account] of this.#accounts) yield toBalance(name, account)
  }

  /** Whether a counter is what the log says, given that the time is `nowMs`. */
  agrees({ sum, expiresAtMs, isStatedAbsent }: Balance, counter: Counter | undefined, nowMs: number): boolean {
    if (counter !== undefined) return counter.value === sum
    return sum === 0n || isStatedAbsent || (expiresAtMs !== undefined && expiresAtMs <= nowMs)
  }
}

const newAccount = (): Account => ({
  sum: 0n,
  version: 0n,
  expiresAtMs: undefined,
  stated: 0,
  absentAtMs: undefined,
})

const toBalance = (name: string, { sum, version, expiresAtMs, absentAtMs }: Account): Balance => ({
  name,
  sum,
  version,
  expiresAtMs,
  isStatedAbsent: absentAtMs !== undefined,
})
