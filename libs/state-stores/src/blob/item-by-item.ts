import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import type { EntryName, FailedItem } from './port.ts'

/** Requests on the way at once, for one list. */
const atOnce = 64

/**
 * For stores without a commit of several items: one call each, many at once, those of one name one after the other.
 * An item that fails is `failed` and stops none of the others; any other error rejects.
 */
export async function itemByItem<Item, Outcome>(
  items: readonly Item[],
  nameOf: (item: Item) => EntryName,
  work: (item: Item) => Promise<Outcome>,
): Promise<readonly (Outcome | FailedItem)[]> {
  const byName = Map.groupBy(items.keys(), (index) => {
    const item = items[index]
    return item === undefined ? '' : idOf(nameOf(item))
  })
  const outcomes = Array.from<Outcome | FailedItem>({ length: items.length })
  const queue = byName.values()
  const worker = async (): Promise<void> => {
    for (const indexes of queue) {
      for (const index of indexes) {
        const item = items[index]
        if (item !== undefined) outcomes[index] = await work(item).catch(failed)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, byName.size) }, worker))
  return outcomes
}

function failed(error: unknown): FailedItem {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return { outcome: 'failed', error }
  throw error
}

const idOf = ({ namespace, key }: EntryName): string => `${namespace}/${key}`
