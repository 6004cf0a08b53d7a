import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from '../hash.ts'
import type { BlobStore, BlobUsage, EntryName, NewEntry, PutOutcome, RemoveOutcome } from '../port.ts'
import { bytesOf, expectUsage, name, readAll, type Lacks, type OpenHarness } from './harness.ts'

/** Each size stands for one value, so that sizes tell values apart. */
const sizes = [0, 10, 60_000, 70_000]
const smallQuotaBytes = 140_000

type Step = NewEntry & ({ readonly sizeBytes: number } | { readonly remove: true })

class Model {
  readonly #quotaBytes: number
  #entries = new Map<string, { name: EntryName; sizeBytes: number }>()

  constructor(quotaBytes: number) {
    this.#quotaBytes = quotaBytes
  }

  put({ name: entry, onlyIfNew }: NewEntry, sizeBytes: number): PutOutcome {
    const id = JSON.stringify(entry)
    const there = onlyIfNew === true ? this.#entries.get(id) : undefined
    if (there !== undefined && there.sizeBytes !== sizeBytes) {
      return { outcome: 'taken', digest: sha256(valueOf(there.sizeBytes)) }
    }
    const after = new Map(this.#entries).set(id, { name: entry, sizeBytes })
    if (total(after) > this.#quotaBytes && total(after) > total(this.#entries)) return { outcome: 'full' }
    const before = this.#entries.get(id)?.sizeBytes
    this.#entries = after
    const outcome = before === undefined ? 'created' : before === sizeBytes ? 'exists' : 'replaced'
    return { outcome, digest: sha256(valueOf(sizeBytes)), sizeBytes }
  }

  remove(entry: EntryName): RemoveOutcome {
    return this.#entries.delete(JSON.stringify(entry)) ? 'removed' : 'missing'
  }

  usage(): Omit<BlobUsage, 'families'> {
    const blobs = distinct(this.#entries).length
    return { entries: this.#entries.size, blobs, sizeBytes: total(this.#entries), quotaBytes: this.#quotaBytes }
  }

  get entries(): readonly { name: EntryName; sizeBytes: number }[] {
    return [...this.#entries.values()]
  }
}

/** Random puts and removes against the obvious model: a map, and the sum of its different values. */
export function describeModel(open: OpenHarness, lacks: Lacks): void {
  const quotaBytes = lacks.has('usage') ? undefined : smallQuotaBytes
  test('any sequence of puts and removes does what a map would', { timeout: 60_000 }, async () => {
    // Also digests of what is put, and the namespace that stores may keep in another way.
    const key = fc.constantFrom('a', 'b', sha256(Buffer.from('c')), ...sizes.map((size) => sha256(valueOf(size))))
    const entry = fc.tuple(key, fc.constantFrom('x', 'messages')).map(([each, namespace]) => name(each, namespace))
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({ name: entry, sizeBytes: fc.constantFrom(...sizes), onlyIfNew: fc.boolean() }),
      },
      { weight: 1, arbitrary: fc.record({ name: entry, remove: fc.constant(true as const) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { store } = await open(quotaBytes === undefined ? {} : { quotaBytes })
        try {
          const model = new Model(quotaBytes ?? Infinity)
          for (const each of steps) {
            expect(await apply(store, each)).toEqual(expected(model, each))
            expectUsage(store, model.usage())
          }
          for (const namespace of ['x', 'messages']) {
            const expectedKeys = model.entries.filter((each) => each.name.namespace === namespace)
            expect(await keysOf(store, namespace)).toEqual(expectedKeys.map((each) => each.name.key).toSorted())
          }
          for (const { name: each, sizeBytes } of model.entries) {
            expect((await readAll(await store.open(each)))?.equals(valueOf(sizeBytes))).toBe(true)
          }
        } finally {
          await store.close()
        }
      }),
      // Each step is several round trips to a server.
      { numRuns: lacks.has('one-commit') ? 10 : 40 },
    )
  })
}

async function keysOf(store: BlobStore, namespace: string): Promise<string[]> {
  const keys: string[] = []
  for (let after: string | undefined; ;) {
    const { entries, next } = await store.scan(namespace, after, 2)
    expect(entries.length).toBeLessThanOrEqual(2)
    keys.push(...entries.map(({ key }) => key))
    if ((after = next) === undefined) return keys.toSorted()
  }
}

function expected(model: Model, step: Step): PutOutcome | RemoveOutcome {
  return 'remove' in step ? model.remove(step.name) : model.put(step, step.sizeBytes)
}

async function apply(store: BlobStore, step: Step): Promise<PutOutcome | RemoveOutcome | undefined> {
  if ('remove' in step) return (await store.remove([step.name]))[0]
  const { sizeBytes, ...entry } = step
  return store.put(entry, [valueOf(sizeBytes)])
}

const values = new Map(sizes.map((sizeBytes) => [sizeBytes, bytesOf(sizeBytes, sizeBytes)]))

function valueOf(sizeBytes: number): Buffer {
  return values.get(sizeBytes) ?? Buffer.alloc(0)
}

function distinct(entries: ReadonlyMap<string, { sizeBytes: number }>): number[] {
  return [...new Set([...entries.values()].map(({ sizeBytes }) => sizeBytes))]
}

function total(entries: ReadonlyMap<string, { sizeBytes: number }>): number {
  return distinct(entries).reduce((sum, each) => sum + each, 0)
}
