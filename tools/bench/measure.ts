import type { BenchCase, BenchSides } from './case.ts'
import { median, range } from './statistics.ts'

/** One element of the JSON output. */
export interface Measured {
  readonly case: string
  /** Median over the rounds. */
  readonly ours: number
  readonly peer: number | null
  readonly unit: string
  /** Median of the rounds' own ratios; above 1 ours is better, whichever direction is. Null without a peer. */
  readonly ratio: number | null
  /** Lowest and highest ratio of a round; without a peer, lowest and highest figure. */
  readonly spread: readonly [number, number]
  readonly rounds: number
}

/**
 * Ours and peer take turns within one run, and who begins alternates: what slows the machine down for a while slows
 * both, and the ratio of a round compares neighbours in time. The first, uncounted turn warms caches and compilers; a case with
 * rounds of its own has none.
 */
export async function measure(
  { name, unit, higherIsBetter, rounds: own }: Pick<BenchCase, 'name' | 'unit' | 'higherIsBetter' | 'rounds'>,
  { ours, peer }: BenchSides,
  rounds: number,
  onRound: (round: number) => void = () => {},
): Promise<Measured> {
  if (own === undefined) {
    await ours()
    await peer?.()
  }
  const figures: { ours: number; peer: number | undefined }[] = []
  for (let round = 0; round < rounds; round++) {
    onRound(round + 1)
    if (peer !== undefined && round % 2 === 1) {
      const other = await peer()
      figures.push({ ours: await ours(), peer: other })
    } else {
      figures.push({ ours: await ours(), peer: await peer?.() })
    }
  }
  const mine = figures.map(({ ours }) => ours)
  const theirs = figures.flatMap(({ peer }) => (peer === undefined ? [] : [peer]))
  const ratios = figures.flatMap(({ ours, peer }) => {
    if (peer === undefined) return []
    return [higherIsBetter ? ours / peer : peer / ours]
  })
  const compared = ratios.length > 0
  return {
    case: name,
    ours: median(mine),
    peer: compared ? median(theirs) : null,
    unit,
    ratio: compared ? median(ratios) : null,
    spread: range(compared ? ratios : mine),
    rounds,
  }
}
