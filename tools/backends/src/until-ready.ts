import { setTimeout as delay } from 'node:timers/promises'

/** Asks again until `ask` does not throw; gives up with its last error. */
export async function untilReady(ask: () => Promise<unknown>, timeoutMs = 90_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      await ask()
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await delay(50)
    }
  }
}
