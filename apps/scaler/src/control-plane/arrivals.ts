import type { LeaderSide, MemberState } from '@ballast/state-stores/work-item'
import type { Log } from './log.ts'

/** Tells the log and the history who has come and who is gone since `before`; returns who lives. */
export async function noteArrivals(
  leaders: Pick<LeaderSide, 'record'>,
  log: Log,
  before: ReadonlySet<string>,
  members: readonly MemberState[],
): Promise<ReadonlySet<string>> {
  const alive = new Set(members.filter((member) => member.alive).map((member) => member.name))
  for (const worker of alive) {
    if (before.has(worker)) continue
    log.info({ worker }, 'worker joined')
    await leaders.record('joined', { worker })
  }
  for (const worker of before) {
    if (alive.has(worker)) continue
    log.info({ worker }, 'worker gone')
    await leaders.record('gone', { worker, slots: members.find(({ name }) => name === worker)?.slots ?? 0 })
  }
  return alive
}
