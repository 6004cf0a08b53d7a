import type { Counter } from '@ballast/state-stores/counter'
import type { AuditRecord } from './record.ts'

interface Account {
  sum: bigint
  version: bigint
  expiresAtMs: number | undefined
  /** Statements that were more than what the log knew. */
  stated: number
}

/** What the logs say a counter must be. */
export interface Balance {
  readonly name: string
  readonly sum: bigint
  readonly version: bigint
  readonly expiresAtMs: number | undefined
}

/** Adds up audit records; those of one counter in the order of their versions. */
export class Ledger {
  readonly #accounts = new Map<string, Account>()
  records = 0
  /** Differences that a log itself tells of: changes nobody was answered for, or from before the log. */
  stated = 0

  enter({ op, name, delta, value, version, atMs, expiresAtMs }: AuditRecord): string | undefined {
    this.records += 1
    const account = this.#accounts.get(name) ?? { sum: 0n, version: 0n, expiresAtMs: undefined, stated: 0 }
    this.#accounts.set(name, account)
    if (op === 'statement') {
      // Of several logs one may tell what another one has written down.
      if (account.version >= version && account.sum === value) return undefined
      this.stated += 1
      Object.assign(account, { sum: value, version, expiresAtMs })
      return undefined
    }
    const previous = value - delta
    const isExpired = account.expiresAtMs !== undefined && account.expiresAtMs <= atMs && previous === 0n
    if (isExpired) account.sum = 0n
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
    return account && { name, sum: account.sum, version: account.version, expiresAtMs: account.expiresAtMs }
  }

  *balances(): Generator<Balance> {
    for (const [name, { sum, version, expiresAtMs }] of this.#accounts) yield { name, sum, version, expiresAtMs }
  }

  /** Whether a counter is what the log says, given that the time is `nowMs`. */
  agrees({ sum, expiresAtMs }: Balance, counter: Counter | undefined, nowMs: number): boolean {
    if (counter !== undefined) return counter.value === sum
    return sum === 0n || (expiresAtMs !== undefined && expiresAtMs <= nowMs)
  }
}
