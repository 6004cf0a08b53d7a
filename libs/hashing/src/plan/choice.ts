import { hash32, mix32, rendezvousScore } from '../rendezvous.ts'
import type { Ledger } from './ledger.ts'

/** Which taker a slot prefers among those that are `fit`; the same whoever else is there. Undefined when none was found. */
export type Choice = (slot: number, fit: (taker: number) => boolean) => number | undefined

/** Up to here each slot is compared with each taker. */
const mostComparisons = 2 ** 24

/** One way for one number of slots and takers, so that planning again chooses alike. */
export function choiceFor(ledger: Ledger): Choice {
  return ledger.owners.length * ledger.takers.length <= mostComparisons ? byRendezvous(ledger) : byRing(ledger)
}

/** Rendezvous hashing: even, weighted, O(takers) a slot. */
export function byRendezvous(ledger: Ledger): Choice {
  const hashes = ledger.takers.map(({ name }) => hash32(name))
  return (slot, fit) => {
    const key = mix32(slot + 1)
    let best: number | undefined
    let bestScore = Number.POSITIVE_INFINITY
    for (let taker = 0; taker < hashes.length; taker++) {
      if (!fit(taker)) continue
      const score = rendezvousScore(key, hashes[taker] ?? 0, ledger.weightOf(taker))
      if (score < bestScore) {
        best = taker
        bestScore = score
      }
    }
    return best
  }
}

const pointsEach = 16
const stepsAtMost = 32

/** A ring of takers, followed for a few points only: O(log takers) a slot, less even; who has room is asked anyway. */
export function byRing(ledger: Ledger): Choice {
  const size = 2 ** Math.ceil(Math.log2(ledger.takers.length + 1))
  const points = new Float64Array(ledger.takers.length * pointsEach)
  for (const [taker, { name }] of ledger.takers.entries()) {
    const hash = hash32(name)
    for (let i = 0; i < pointsEach; i++) points[taker * pointsEach + i] = mix32(hash ^ mix32(i + 1)) * size + taker
  }
  points.sort()
  return (slot, fit) => {
    let place = firstAtOrAfter(points, mix32(slot + 1) * size)
    for (let step = 0; step < stepsAtMost; step++, place++) {
      const taker = (points[place % points.length] ?? 0) % size
      if (fit(taker)) return taker
    }
    return undefined
  }
}

function firstAtOrAfter(points: Float64Array, point: number): number {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle] ?? 0) < point) low = middle + 1
    else high = middle
  }
  return low
}
