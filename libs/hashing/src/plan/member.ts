export interface Member {
  readonly name: string
  /** Share of the rows relative to the other members; above 0. */
  readonly weight: number
  /** Gives everything away and takes nothing. */
  readonly draining: boolean
  /** Failure domain or place; members without one are of the zone ''. */
  readonly zone?: string
}

/** @throws RangeError that names the unfit one. */
export function checkMembers(members: readonly Member[]): void {
  const names = new Set<string>()
  for (const { name, weight } of members) {
    if (names.has(name)) throw new RangeError(`two members have the same name: ${name}`)
    if (!(weight > 0 && Number.isFinite(weight)))
      throw new RangeError(`the weight of ${name} must be above 0, not ${weight}`)
    names.add(name)
  }
}

/**
 * Members that take rows, in order of their names, with the weight that counts: their own, or with `spread` such a part of it
 * that all zones weigh the same.
 */
export function takersOf(members: readonly Member[], spread: boolean): Member[] {
  const takers = members.filter(({ draining }) => !draining).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  if (!spread) return takers
  const weightOfZone = new Map<string, number>()
  for (const { zone = '', weight } of takers) weightOfZone.set(zone, (weightOfZone.get(zone) ?? 0) + weight)
  return takers.map((taker) => ({ ...taker, weight: taker.weight / (weightOfZone.get(taker.zone ?? '') ?? 1) }))
}
