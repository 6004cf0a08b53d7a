import { slotOf } from '@ballast/hashing'
import type { SlotMap, WorkItemStore } from '@ballast/state-stores/work-item'

/** Which worker owns each row. */
export type Assignment = ReadonlyMap<string, string>

/**
 * The assignment once it is at rest: every slot has an owner among `workers`, and none is on its way to another one.
 * Undefined before.
 */
export async function readAssignment(
  store: WorkItemStore,
  ids: readonly string[],
  workers: ReadonlySet<string>,
): Promise<Assignment | undefined> {
  const map = await store.leaders.map()
  return isAtRest(map, workers) ? new Map(ids.map((id) => [id, map.owners[slotOf(id, store.slots)] ?? ''])) : undefined
}

export function isAtRest(
  { owners, targets }: Pick<SlotMap, 'owners' | 'targets'>,
  workers: ReadonlySet<string>,
): boolean {
  return owners.every((owner, slot) => {
    const target = targets[slot]
    return owner !== undefined && workers.has(owner) && (target === undefined || target === owner)
  })
}

export function rowsPerWorker(assignment: Assignment): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const worker of assignment.values()) counts.set(worker, (counts.get(worker) ?? 0) + 1)
  return counts
}

/** 1 is perfect balance. */
export function maxOverMean(assignment: Assignment, workers: number): number {
  return Math.max(...rowsPerWorker(assignment).values()) / (assignment.size / workers)
}

export function movedRows(before: Assignment, after: Assignment): number {
  let moved = 0
  for (const [id, worker] of before) if (after.get(id) !== worker) moved++
  return moved
}

/** The fewest rows that any plan must move from `before` to perfect balance over `workers`. */
export function fewestMoves(before: Assignment, workers: ReadonlySet<string>): number {
  const mean = before.size / workers.size
  let moves = 0
  for (const [worker, rows] of rowsPerWorker(before)) {
    moves += workers.has(worker) ? Math.max(0, rows - Math.ceil(mean)) : rows
  }
  return moves
}
