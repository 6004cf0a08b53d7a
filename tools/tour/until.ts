import { setTimeout as delay } from 'node:timers/promises'

/** Asks every 200 ms until there is a value; rejects after `timeoutMs` with what was awaited. */
export async function until<T>(what: string, timeoutMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const value = await ask()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Error(`waited ${Math.round(timeoutMs / 1000)} s in vain for ${what}`)
    await delay(200)
  }
}
