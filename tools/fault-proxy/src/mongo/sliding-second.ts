/** The most events in any window of one second, the later end included; times in ms, ascending. O(n). */
export function worstSlidingSecond(timesMs: readonly number[]): number {
  let worst = 0
  let start = 0
  for (const [end, time] of timesMs.entries()) {
    while ((timesMs[start] ?? time) <= time - 1000) start += 1
    worst = Math.max(worst, end - start + 1)
  }
  return worst
}
