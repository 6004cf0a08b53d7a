/** Reports the first of a row of failures and then one every ten seconds: an outage is not a reason to fill the disk with logs. */
export function onceInAWhile(
  report: (error: unknown) => void,
  { everyMs = 10_000, nowMs = () => performance.now() }: { everyMs?: number; nowMs?: () => number } = {},
): (error: unknown) => void {
  let lastMs = Number.NEGATIVE_INFINITY
  return (error) => {
    if (nowMs() - lastMs < everyMs) return
    lastMs = nowMs()
    report(error)
  }
}
