import { plan } from '@ballast/hashing'
import type { Attendant, Claimed, Incarnation, WriteStream } from './port.ts'

/** Which partitions a consumer shall have: each has one, as many as the others to within one, and a join or leave moves the fewest. */
export function shareOf(
  consumer: Incarnation,
  attendants: readonly Attendant[],
  partitions: number,
): ReadonlySet<number> {
  const previous = Array.from({ length: partitions }, (): Incarnation | undefined => undefined)
  // In one order for all who plan, should two say of the same partition that they have it.
  const sorted = attendants.toSorted((a, b) => (a.consumer < b.consumer ? -1 : 1))
  for (const { consumer: name, holds } of sorted) for (const held of holds) if (held < partitions) previous[held] = name
  const members = sorted.map(({ consumer: name }) => ({ name, weight: 1, draining: false }))
  const { next } = plan({ previous, members, loads: previous.map(() => 1) })
  return new Set(next.flatMap((owner, partition) => (owner === consumer ? [partition] : [])))
}

/**
 * One consumer's part in the partitions of a queue: what the plan gives it and the store lets it occupy. Everybody plans alike
 * from what all attendants say they hold; a partition that goes to another is resigned once none of its entries is in hand, so
 * that a hand-over delivers nothing twice. Whatever the plans say: only the store decides who occupies what.
 */
export class PartitionShare {
  readonly #consumer: Incarnation
  /** Occupied by this consumer when it last asked. */
  readonly #held = new Set<number>()
  #wanted: ReadonlySet<number> = new Set()
  /** Claims that are not settled, by partition. */
  readonly #inHand = new Map<number, Set<string>>()

  constructor(consumer: Incarnation) {
    this.#consumer = consumer
  }

  get held(): readonly number[] {
    return [...this.#held].toSorted((a, b) => a - b)
  }

  /** Says that the consumer is there, gives up what is not its own any more, and occupies what is. */
  async attend(streams: readonly WriteStream[]): Promise<void> {
    const attendants = (await streams[0]?.roster.attend(this.#consumer, this.held)) ?? []
    this.#wanted = shareOf(this.#consumer, attendants, streams.length)
    for (const partition of this.#held) {
      if (this.#wanted.has(partition) || this.#countInHand(partition) > 0) continue
      await streams[partition]?.resign(this.#consumer)
      this.#held.delete(partition)
    }
    for (const partition of new Set([...this.#held, ...this.#wanted])) {
      if ((await streams[partition]?.occupy(this.#consumer)) === true) this.#held.add(partition)
      else this.#held.delete(partition)
    }
  }

  /** The most entries to claim of a partition now: of one that shall go to another only those which this consumer has already. */
  mayClaim(partition: number): number {
    if (!this.#held.has(partition)) return 0
    return this.#wanted.has(partition) ? Infinity : this.#countInHand(partition)
  }

  /** What this consumer has already is handed out first: nothing, or something new, shows that there is no more of that. */
  claimed(partition: number, claims: readonly Claimed[]): void {
    const before = this.#inHand.get(partition) ?? new Set()
    const isAll = claims.length === 0 || claims.some(({ entry }) => !before.has(entry))
    this.#inHand.set(partition, new Set([...(isAll ? [] : before), ...claims.map(({ entry }) => entry)]))
  }

  settled(partition: number, entry: string): void {
    this.#inHand.get(partition)?.delete(entry)
  }

  async leave(streams: readonly WriteStream[]): Promise<void> {
    for (const partition of this.#held) await streams[partition]?.resign(this.#consumer)
    this.#held.clear()
    await streams[0]?.roster.depart(this.#consumer)
  }

  #countInHand(partition: number): number {
    return this.#inHand.get(partition)?.size ?? 0
  }
}
