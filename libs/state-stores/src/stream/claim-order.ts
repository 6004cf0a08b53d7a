import type { Incarnation } from './port.ts'

/** Who holds an entry. A released one has no owner. */
export interface Holding {
  readonly owner: Incarnation
  readonly delivery: number
  readonly takeovers: number
  readonly claimedAtMs: number
}

export const nobody: Incarnation = ''
/** Holds entries in the format of a newer release until their claim times out. */
export const parked: Incarnation = '(later format)'

/** Own entries first, then abandoned ones, each in the given order; those which others hold are left out. */
export function claimable<T extends Holding>(
  held: readonly T[],
  consumer: Incarnation,
  nowMs: number,
  claimTimeoutMs: number,
): T[] {
  const abandoned = ({ owner, claimedAtMs }: T): boolean =>
    owner !== consumer && (owner === nobody || nowMs - claimedAtMs > claimTimeoutMs)
  return [...held.filter(({ owner }) => owner === consumer), ...held.filter(abandoned)]
}

/** The holding after handing the entry out: a takeover is counted when another incarnation never settled it. */
export function handOut(previous: Holding | undefined, consumer: Incarnation, nowMs: number): Holding {
  const takenOver = previous !== undefined && previous.owner !== consumer && ![nobody, parked].includes(previous.owner)
  return {
    owner: consumer,
    delivery: (previous?.delivery ?? 0) + 1,
    takeovers: (previous?.takeovers ?? 0) + (takenOver ? 1 : 0),
    claimedAtMs: nowMs,
  }
}

/** Whether a claim is still the current one. */
export function holds(
  holding: Holding | undefined,
  claim: { readonly owner: Incarnation; readonly delivery: number },
): boolean {
  return holding !== undefined && holding.owner === claim.owner && holding.delivery === claim.delivery
}
