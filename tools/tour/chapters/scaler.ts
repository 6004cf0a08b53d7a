import {
  compareTicks,
  openWorkItemStore,
  snapshotTicks,
  type TickSnapshot,
  type WorkItemStore,
} from '@ballast/state-stores/work-item'
import type { Platform } from '../../platform/platform.ts'
import { type Assignment, fewestMoves, maxOverMean, movedRows, readAssignment } from '../assignment.ts'
import type { Chapter, ChapterContext } from '../chapter.ts'
import { count } from '../report.ts'
import { until } from '../until.ts'

const rows = 10_000
const settleTimeoutMs = 60_000
/** 16,384 slots for 10,000 rows: a slot is a row or two, so balance can be this close. */
const balanceBound = 1.02
const movementBound = 1.02
const outageBoundMs = 10_000

export const scaler: Chapter = {
  name: 'scaler',
  title: `${count(rows)} rows, each ticked once a second, over 3, then 4, then 2 workers`,

  async run({ platform, check, progress }) {
    await using store = await openWorkItemStore(platform.environment('scaler')['SCALER_STORE'] ?? '')
    await platform.setReplicas('scaler', 3)
    await store.rows.add({ count: rows })
    const ids = (await store.rows.list(undefined, rows)).map(({ id }) => id)
    const settle = settler(store, ids, progress)

    const three = await settle(3)
    check('3 workers share the rows evenly', maxOverMean(three, 3) <= balanceBound, balance(three, 3))
    const before = await snapshotTicks(store.rows)
    const startedMs = performance.now()

    await platform.setReplicas('scaler', 4)
    const four = await settle(4)
    const [grown, growth] = [movedRows(three, four), fewestMoves(three, names(4))]
    check(
      'a 4th worker is given its share and nothing else moves',
      grown <= growth * movementBound && maxOverMean(four, 4) <= balanceBound,
      `${count(grown)} rows moved, ${count(growth)} must; ${balance(four, 4)}`,
    )

    const outageMs = await killWorker(platform, store, progress)
    check(
      `a killed worker's rows are ticked again within ${outageBoundMs / 1000} s`,
      outageMs <= outageBoundMs,
      `every row after ${(outageMs / 1000).toFixed(1)} s`,
    )
    const again = await settle(4)

    await platform.setReplicas('scaler', 2)
    const two = await settle(2)
    const [shrunk, shrinkage] = [movedRows(again, two), fewestMoves(again, names(2))]
    check(
      'when 2 workers leave, only their rows move',
      shrunk <= shrinkage * movementBound && maxOverMean(two, 2) <= balanceBound,
      `${count(shrunk)} rows moved, ${count(shrinkage)} must; ${balance(two, 2)}`,
    )

    const after = await tickedSince(store, Date.now())
    const { rows: compared, doubledTicks, lostTicks } = compareTicks(before, after)
    const seconds = Math.round((performance.now() - startedMs) / 1000)
    check(
      'no tick is credited twice, none is lost',
      compared === rows && doubledTicks === 0n && lostTicks === 0n,
      `${count(compared)} rows over ${seconds} s: ${doubledTicks} doubled, ${lostTicks} lost`,
    )
  },
}

const names = (workers: number): ReadonlySet<string> =>
  new Set(Array.from({ length: workers }, (_, ordinal) => `worker-${ordinal}`))

const balance = (assignment: Assignment, workers: number): string =>
  `max/mean ${maxOverMean(assignment, workers).toFixed(3)}`

type Settle = (workers: number) => Promise<Assignment>

/** Waits until the given number of workers own everything, evenly, and nothing is on its way any more. */
function settler(store: WorkItemStore, ids: readonly string[], progress: ChapterContext['progress']): Settle {
  return async (workers) => {
    progress(`  waiting for ${workers} workers to share the rows`)
    return until(`${workers} workers to share the rows`, settleTimeoutMs, async () => {
      const assignment = await readAssignment(store, ids, names(workers))
      return assignment !== undefined && maxOverMean(assignment, workers) <= balanceBound ? assignment : undefined
    })
  }
}

/** Resolves with the time from the SIGKILL until every row has been ticked by somebody. */
async function killWorker(
  platform: Platform,
  store: WorkItemStore,
  progress: ChapterContext['progress'],
): Promise<number> {
  progress('  SIGKILL of worker-1')
  const killedMs = Date.now()
  platform.process('worker-1').kill('SIGKILL')
  await tickedSince(store, killedMs)
  return Date.now() - killedMs
}

/** A snapshot in which every row has had a tick of a later second. */
function tickedSince(store: WorkItemStore, sinceMs: number): Promise<TickSnapshot> {
  return until('every row to be ticked', settleTimeoutMs, async () => {
    const snapshot = await snapshotTicks(store.rows)
    return Number(snapshot.oldestTick ?? 0n) * 1000 > sinceMs ? snapshot : undefined
  })
}
