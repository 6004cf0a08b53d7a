/** Every day, UTC: from one minute of the day to another, past midnight when it ends before it begins. */
export interface Shift {
  readonly fromMinute: number
  readonly toMinute: number
  readonly minWorkers: number
}

const dayMinutes = 24 * 60

/** `08:00-18:30=5`: at least 5 workers in that time, UTC. @throws Error one sentence. */
export function parseShift(text: string): Shift {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)=(\d{1,5})$/.exec(text)
  if (parts === null) {
    throw new Error(`${JSON.stringify(text)} is no time of the day with a minimum: write 08:00-18:00=5, in UTC`)
  }
  const [, fromHour, fromMinute, toHour, toMinute, minWorkers] = parts.map(Number)
  return {
    fromMinute: (fromHour ?? 0) * 60 + (fromMinute ?? 0),
    toMinute: (toHour ?? 0) * 60 + (toMinute ?? 0),
    minWorkers: minWorkers ?? 0,
  }
}

/** The largest minimum of the shifts that are on; 0 when none is. */
export function minimumAt(schedule: readonly Shift[], nowMs: number): number {
  const minute = Math.floor(nowMs / 60_000) % dayMinutes
  const on = schedule.filter(({ fromMinute, toMinute }) =>
    fromMinute <= toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute,
  )
  return Math.max(0, ...on.map(({ minWorkers }) => minWorkers))
}
