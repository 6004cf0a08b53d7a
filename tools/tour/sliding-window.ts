/** The most events in any window of this length; times in order. A window holds its beginning and not its end. */
export function mostInWindow(timesMs: readonly number[], windowMs: number): number {
  let most = 0
  let first = 0
  for (const [index, timeMs] of timesMs.entries()) {
    while (timeMs - (timesMs[first] ?? timeMs) >= windowMs) first++
    most = Math.max(most, index - first + 1)
  }
  return most
}
