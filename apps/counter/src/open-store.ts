import { ConfigError, sentence } from '@ballast/service'
import { openCounterStore, type CounterStore } from '@ballast/state-stores/counter'

/** For a command that works on a store: one that cannot be opened is a wrong use of it (exit code 2). */
export async function openStore(url: string, flag: string): Promise<CounterStore> {
  try {
    return await openCounterStore(url, { setting: flag })
  } catch (error) {
    throw new ConfigError(sentence(error))
  }
}
