/** `callers` loops that each wait for their own call before the next one; returns calls a second. */
export async function closedLoop(callers: number, durationMs: number, call: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  const endMs = startedMs + durationMs
  let calls = 0
  const caller = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await call()
      calls++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (calls * 1000) / (performance.now() - startedMs)
}
