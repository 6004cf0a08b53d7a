import { setTimeout as delay } from 'node:timers/promises'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import type { Hashes } from '../hash.ts'
import type { NewEntry, EntryName, PutOutcome } from '../port.ts'
import type { Stored } from './bucket.ts'
import type { Objects, StoredObject } from './objects.ts'
import { notApplied } from './outcome.ts'

const attempts = 6

/**
 * Makes an object visible under its name by `store`, which is one request that can be conditional. New names are taken
 * by `If-None-Match: *`, so of many writers one is told `created`; what is there already is looked at and kept when it is
 * the same, or is to be kept in any case, or replaced.
 */
export async function storeObject(
  objects: Objects,
  { name, onlyIfNew: mayNotReplace = false }: NewEntry,
  generation: string,
  { digest, sizeBytes }: Hashes,
  store: (onlyIfNew: boolean) => Promise<Stored>,
): Promise<PutOutcome> {
  const { label } = objects.bucket
  for (let attempt = 0; attempt < attempts; attempt++) {
    const stored = await resolved(objects, name, generation, () => store(true))
    if (stored === 'stored') return { outcome: 'created', digest, sizeBytes }
    if (stored === 'conflict') {
      await delay(20 * 2 ** attempt * (0.5 + Math.random() / 2))
      continue
    }
    const found = await before(objects, () => current(objects, name))
    // Removed in between: the name is free again.
    if (found === undefined) continue
    const same = found.hashes.digest === digest
    if (mayNotReplace && (!same || found.damaged)) return { outcome: 'taken', digest: found.hashes.digest }
    if (!same || found.damaged) {
      const replaced = await resolved(objects, name, generation, () => store(false))
      if (replaced !== 'stored') continue
      await objects.forget(found)
    }
    return { outcome: same ? 'exists' : 'replaced', digest, sizeBytes }
  }
  throw new NotAppliedError(`${label}: others keep changing this name; try again`)
}

async function current(
  objects: Objects,
  name: EntryName,
): Promise<(StoredObject & { readonly damaged: boolean }) | undefined> {
  const found = await objects.describe(name)
  return found && { ...found, damaged: await objects.isDamaged(found.generation) }
}

/** An answer that was lost can be looked up: the generation is ours alone. */
async function resolved(
  objects: Objects,
  name: EntryName,
  generation: string,
  store: () => Promise<Stored>,
): Promise<Stored> {
  try {
    return await store()
  } catch (error) {
    if (!(error instanceof OutcomeUnknownError)) throw error
    const found = await objects.describe(name).catch(() => undefined)
    if (found?.generation === generation) return 'stored'
    throw error
  }
}

async function before<Result>(objects: Objects, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw notApplied(error, objects.bucket.label)
  }
}
