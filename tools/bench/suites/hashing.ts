import { plan } from '@ballast/hashing'
import type { BenchCase, Suite } from '../case.ts'
import { type Contender, contenders, type Lookup, Planned } from './hashing/contenders.ts'
import { maxOverMean, movedOverMinimum, perSecond } from './hashing/figures.ts'

const rows = 100_000
/** As many workers as the bounds are stated for. */
const many = 50
const few = 10

/** As a driver hands them out: each a text of its own. */
function uuids(count: number): string[] {
  const all = Buffer.from(Array.from({ length: count }, () => crypto.randomUUID()).join(''))
  return Array.from({ length: count }, (_, i) => all.toString('latin1', i * 36, i * 36 + 36))
}
const workers = (count: number): string[] => Array.from({ length: count }, (_, i) => `worker-${i}`)
function oneByOne(owner: Lookup): (keys: readonly string[]) => number {
  return (keys) => {
    let letters = 0
    for (const key of keys) letters += owner(key).length
    return letters
  }
}
const constant = (value: number) => () => Promise.resolve(value)

function moved(change: (names: readonly string[]) => readonly string[]): number {
  const leaver = `worker-${few / 2}`
  const before = change(workers(few))
  const joined = change(workers(few + 1))
  // Back to where it was; who remembers may be elsewhere now, and is measured from there.
  const again = change(workers(few))
  const left = change(workers(few).filter((name) => name !== leaver))
  const join = movedOverMinimum(before, joined, before, few, '')
  const leave = left.filter((owner, i) => owner !== again[i]).length
  const own = again.filter((owner) => owner === leaver).length
  const fewestToJoin = Math.floor(rows / (few + 1))
  return (join * fewestToJoin + leave) / (fewestToJoin + own)
}

function lookups(name: string, peers: readonly Contender[], compares: string): BenchCase {
  return {
    name,
    unit: 'look-ups/s',
    higherIsBetter: true,
    compares,
    open(_stack, { measureMs }) {
      const keys = uuids(rows)
      const planned = new Planned(keys)
      planned.change(workers(many))
      const candidates = peers.map((peer) => {
        const lookup = oneByOne(peer.of(workers(many)))
        const some = peer.slow === true ? keys.slice(0, 50) : keys
        return { speed: peers.length === 1 ? 0 : perSecond(lookup, some, measureMs / 10), lookup, some }
      })
      const [best] = candidates.toSorted((a, b) => b.speed - a.speed)
      if (best === undefined) throw new Error('nobody to compare with')
      return Promise.resolve({
        ours: () => Promise.resolve(perSecond((list) => planned.lookup(list), keys, measureMs)),
        peer: () => Promise.resolve(perSecond(best.lookup, best.some, measureMs)),
      })
    },
  }
}

function movement(name: string, peer: Contender): BenchCase {
  return {
    name,
    unit: 'of the minimum',
    higherIsBetter: false,
    compares: `rows moved by one join and one leave at ${rows} rows and ${few} workers, slots and planner with ${peer.name}`,
    open() {
      const keys = uuids(rows)
      const planned = new Planned(keys)
      const theirs = moved((names) => keys.map(peer.of(names)))
      return Promise.resolve({ ours: constant(moved((names) => planned.change(names))), peer: constant(theirs) })
    },
  }
}

function balance(name: string, peer: Contender): BenchCase {
  return {
    name,
    unit: 'max/mean',
    higherIsBetter: false,
    compares: `most rows of a worker over the mean at ${rows} rows and ${many} workers, slots and planner with ${peer.name}`,
    open() {
      const keys = uuids(rows)
      const ours = maxOverMean(new Planned(keys).change(workers(many)), many)
      return Promise.resolve({
        ours: constant(ours),
        peer: constant(maxOverMean(keys.map(peer.of(workers(many))), many)),
      })
    },
  }
}

const large = { slots: 2 ** 20, rows: 100_000_000, workers: 10_000 }

const planning: BenchCase = {
  name: 'hashing/plan-100m-rows-seconds',
  unit: 's',
  higherIsBetter: false,
  compares: `one worker joins ${large.workers} that have ${large.rows} rows in ${large.slots} slots, levelled to 1 %`,
  open() {
    const loads = new Uint32Array(large.slots)
    let state = 0x2545f491
    for (let row = 0; row < large.rows; row++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      const slot = state & (large.slots - 1)
      loads[slot] = (loads[slot] ?? 0) + 1
    }
    const members = workers(large.workers + 1).map((name) => ({ name, weight: 1, draining: false }))
    const nobody = Array.from({ length: large.slots }, () => undefined)
    const { next } = plan({ previous: nobody, members: members.slice(1), loads })
    return Promise.resolve({
      ours: () => {
        const startedMs = performance.now()
        plan({ previous: next, members, loads, tolerance: 0.01 })
        return Promise.resolve((performance.now() - startedMs) / 1000)
      },
    })
  },
}

const [hashring] = contenders
if (hashring === undefined) throw new Error('nobody to compare with')
const quick = contenders.filter(({ slow }) => slow !== true)

export const hashing: Suite = {
  name: 'hashing',
  summary: 'who owns a key: speed, balance and movement, against npm packages and the other algorithms',
  cases: [
    lookups(
      'hashing/slot-lookup-vs-best-npm',
      contenders.filter(({ npm }) => npm),
      `owners of a list of ${rows} uuids, slots with the fastest npm package, ${many} workers`,
    ),
    movement('hashing/moved-vs-minimum', hashring),
    balance('hashing/max-over-mean', hashring),
    planning,
    ...contenders.map((peer) =>
      lookups(`hashing/lookups-${peer.name}`, [peer], `owners of uuids, slots with ${peer.name}, ${many} workers`),
    ),
    ...quick.slice(1).map((peer) => movement(`hashing/moved-${peer.name}`, peer)),
    ...quick.slice(1).map((peer) => balance(`hashing/balance-${peer.name}`, peer)),
  ],
}
