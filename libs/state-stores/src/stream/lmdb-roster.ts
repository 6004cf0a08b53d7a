import type { LmdbEnvironment } from '../lmdb-environment.ts'
import { emptyRoster, type KeptRoster, keptRoster, type RosterState } from './roster.ts'

const key = Buffer.from('roster')

/** The roster of an embedded queue: one JSON value in a table of its own. */
export function lmdbRoster(environment: LmdbEnvironment, now: () => number, claimTimeoutMs: number): KeptRoster {
  const table = environment.table('roster')
  const cell = {
    read: (): RosterState => {
      const stored = table.get(key)
      return stored === undefined ? emptyRoster : JSON.parse(stored.toString())
    },
    write: (state: RosterState): void => table.put(key, Buffer.from(JSON.stringify(state))),
    step: <T>(action: () => T): Promise<T> => environment.transact(action),
  }
  return keptRoster(cell, now, claimTimeoutMs)
}
