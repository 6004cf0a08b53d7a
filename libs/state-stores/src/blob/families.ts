import type { FamilyPolicy } from './port.ts'

export type Policies = Readonly<Record<string, FamilyPolicy>>

/** The family of a namespace: what stands before its first dot. */
export function familyOf(namespace: string): string {
  const dot = namespace.indexOf('.')
  return dot === -1 ? namespace : namespace.slice(0, dot)
}

export const keepAll: FamilyPolicy = { whenFull: 'keep' }

export function policyOf(policies: Policies, family: string): FamilyPolicy {
  return Object.hasOwn(policies, family) ? (policies[family] ?? keepAll) : keepAll
}

/** Whether anybody will ever ask when its entries were used. */
export function isTracked({ whenFull, ttlMs }: FamilyPolicy): boolean {
  return whenFull === 'evict' || ttlMs !== undefined
}

export function isExpired({ ttlMs }: FamilyPolicy, usedAtMs: number, nowMs: number): boolean {
  return ttlMs !== undefined && nowMs - usedAtMs >= ttlMs
}

/** For stores that decide nothing of the kind. */
export function refusePolicies(policies: Policies | undefined, label: string): void {
  const [first] = Object.entries(policies ?? {}).find(
    ([, { quotaBytes, ttlMs }]) => quotaBytes !== undefined || ttlMs !== undefined,
  ) ?? [undefined]
  if (first === undefined) return
  throw new Error(`${label} keeps no quota and no time of life for a family: leave those of ${first} out`)
}
