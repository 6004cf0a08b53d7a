import { Anchor, hash32, jump, key64, Maglev, plan, rendezvous, Ring, slotsOf } from '@ballast/hashing'
import ConsistentHash from 'consistent-hash'
import ConsistentHashing from 'consistent-hashing'
import HashRing from 'hashring'
import { HashRing as Ketama } from 'ketama'

/** The owner of a key. */
export type Lookup = (key: string) => string

export interface Contender {
  readonly name: string
  readonly npm: boolean
  /** 100,000 keys would take it minutes. */
  readonly slow?: boolean
  of(workers: readonly string[]): Lookup
}

/** One instance for all members, since two instances disagree: its points are random. */
const shared = new ConsistentHash()
let sharedWorkers: readonly string[] = []

export const contenders: readonly Contender[] = [
  {
    name: 'hashring',
    npm: true,
    of(workers) {
      const ring = new HashRing([...workers])
      return (key) => ring.get(key)
    },
  },
  {
    name: 'consistent-hash',
    npm: true,
    of(workers) {
      for (const gone of sharedWorkers.filter((name) => !workers.includes(name))) shared.remove(gone)
      for (const added of workers.filter((name) => !sharedWorkers.includes(name))) shared.add(added)
      sharedWorkers = workers
      return (key) => shared.get(key)
    },
  },
  {
    name: 'consistent-hashing',
    npm: true,
    slow: true,
    of(workers) {
      const ring = new ConsistentHashing(workers)
      return (key) => ring.getNode(key)
    },
  },
  {
    name: 'ketama',
    npm: true,
    of(workers) {
      const ring = new Ketama(workers)
      return (key) => ring.getNode(key) ?? ''
    },
  },
  {
    name: 'our-ring',
    npm: false,
    of(workers) {
      const ring = new Ring(workers.map((name) => ({ name, weight: 1 })))
      return (key) => ring.of(key)
    },
  },
  {
    name: 'our-rendezvous',
    npm: false,
    of(workers) {
      const members = workers.map((name) => ({ name, weight: 1 }))
      return (key) => rendezvous(key, members)?.name ?? ''
    },
  },
  {
    name: 'our-maglev',
    npm: false,
    of(workers) {
      const maglev = new Maglev(workers)
      return (key) => maglev.of(key)
    },
  },
  {
    name: 'our-jump',
    npm: false,
    of: (workers) => (key) => workers[jump(key64(key), workers.length)] ?? '',
  },
  {
    name: 'our-anchor',
    npm: false,
    of(workers) {
      // Buckets are named by number: a worker that is not there is a removed bucket.
      const numbers = workers.map((name) => Number(name.slice('worker-'.length)))
      const anchor = new Anchor(64, Math.max(...numbers) + 1)
      for (let bucket = 0; bucket <= Math.max(...numbers); bucket++)
        if (!numbers.includes(bucket)) anchor.remove(bucket)
      const names = Array.from({ length: 64 }, (_, bucket) => `worker-${bucket}`)
      return (key) => names[anchor.of(hash32(key))] ?? ''
    },
  },
]

const slots = 16_384

/** Slots with the sticky planner: what the scaler does. It remembers, so that members are changed one after another. */
export class Planned {
  #owners: readonly (string | undefined)[] = Array.from({ length: slots }, () => undefined)
  readonly #keySlots: Int32Array
  readonly #loads = new Uint32Array(slots)

  constructor(keys: readonly string[]) {
    this.#keySlots = slotsOf(keys)
    for (const slot of this.#keySlots) this.#loads[slot] = (this.#loads[slot] ?? 0) + 1
  }

  change(workers: readonly string[]): readonly string[] {
    const members = workers.map((name) => ({ name, weight: 1, draining: false }))
    this.#owners = plan({ previous: this.#owners, members, loads: this.#loads }).next
    return Array.from(this.#keySlots, (slot) => this.#owners[slot] ?? '')
  }

  /** From text to owner, nothing kept between calls; the letters of all owners' names, so that none can be left out. */
  lookup(keys: readonly string[]): number {
    let letters = 0
    const found = slotsOf(keys, slots, this.#keySlots)
    for (let i = 0; i < found.length; i++) letters += this.#owners[found[i] ?? 0]?.length ?? 0
    return letters
  }
}
