import type { MemberState, WorkItemStore } from '@ballast/state-stores/work-item'

type Store = Pick<WorkItemStore, 'leaders' | 'operator'>

/** Workers are being drained, so that there can be fewer. */
export interface WayDown {
  readonly from: number
  readonly to: number
}

/**
 * Notes in the store that a way down has begun, before anybody is drained for it, or with undefined that it has ended. Without it a
 * change of the leader would leave a drained worker behind, which runs, counts, and is given nothing.
 */
export async function noteWayDown({ operator }: Store, way: WayDown | undefined): Promise<void> {
  await operator.setLimits({ autoscaleDownFrom: way?.from ?? null, autoscaleDownTo: way?.to ?? null })
}

/**
 * What an earlier leader has begun and not ended: there are as many workers as when it began, and each that is to go was drained. Anything
 * else that is noted is out of date, and is removed.
 */
export async function begunWayDown(
  store: Store,
  workers: number,
  nameOf: (number: number) => string,
): Promise<WayDown | undefined> {
  const { autoscaleDownFrom: from, autoscaleDownTo: to } = await store.operator.limits()
  if (typeof from !== 'number' || typeof to !== 'number') return undefined
  const going = new Set(Array.from({ length: Math.max(0, from - to) }, (_, i) => nameOf(to + i)))
  const members = (await store.leaders.members()).filter(({ alive, name }) => alive && going.has(name))
  if (from === workers && members.every(({ draining }: MemberState) => draining)) return { from, to }
  await noteWayDown(store, undefined)
  return undefined
}
