import type { CounterStore } from '@ballast/state-stores/counter'

export interface CaveatLog {
  warn(this: void, caveat: string): void
  info(this: void, sentence: string): void
}

/**
 * Warns of what an answered change can be lost to: now, and whenever a server is found to keep other promises than it
 * did, as after a fail-over. Returns what ends the watch. Cost: nothing is asked; the store knows.
 */
export function watchCaveat(store: Pick<CounterStore, 'capabilities'>, log: CaveatLog, everyMs = 1_000): () => void {
  let told: string | undefined
  const tell = (): void => {
    const { durable, caveat = 'counters are forgotten when this process ends' } = store.capabilities
    const found = durable ? undefined : caveat
    if (found === told) return
    told = found
    if (found === undefined) log.info('the store keeps what it answers again')
    else log.warn(found)
  }
  tell()
  const timer = setInterval(tell, everyMs).unref()
  return () => clearInterval(timer)
}
