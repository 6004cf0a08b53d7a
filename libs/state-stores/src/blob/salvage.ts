import { splitScheme } from '../split-scheme.ts'
import { folderOf } from './open.ts'
import type { EntryName, OpenBlob } from './port.ts'

export interface Salvaged {
  readonly name: EntryName
  /** Undefined: its name is there, and its bytes are lost or damaged. */
  readonly blob: OpenBlob | undefined
}

/**
 * What can still be read of a store that is too damaged to be opened: `lmdb:<folder>`, which nobody may be writing. Nothing
 * of it is changed. `report` is called at the end with how many pages of its data file are lost.
 */
export async function* salvageBlobs(given: string, report: (lostPages: number) => void): AsyncGenerator<Salvaged> {
  const { scheme, rest } = splitScheme(given)
  if (scheme !== 'lmdb' || rest === '') throw new Error(`only lmdb:<folder> can be salvaged, not ${scheme}:`)
  const { salvaged } = await import('./lmdb/salvage.ts')
  yield* salvaged(folderOf(rest), report)
}
