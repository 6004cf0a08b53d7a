import { waitUntil } from '@ballast/testing'

/** Asks again until `ask` does not reject; gives up with its last error. */
export async function untilReady(ask: () => Promise<unknown>, timeoutMs = 90_000): Promise<void> {
  const asked = async (): Promise<true> => {
    await ask()
    return true
  }
  try {
    await waitUntil(asked, { timeoutMs, everyMs: 50 })
  } catch (error) {
    throw error instanceof Error ? (error.cause ?? error) : error
  }
}
