import { jump, key64 } from '@ballast/hashing'
import { type Bound, fullBound } from './bounds.ts'
import { PartitionShare } from './partition-share.ts'
import { partitionedReads, sumOf } from './partitioned-reads.ts'
import { letterOf, nameOf, ownName, partitionOf } from './partition-names.ts'
import { poll } from './poll.ts'
import type {
  Burial,
  Claimed,
  ClaimRequest,
  Incarnation,
  ReplayOutcome,
  SettleOutcome,
  StreamBounds,
  WriteStream,
} from './port.ts'

/** A queue in several parts, each with one active consumer. */
export interface PartitionedStream extends WriteStream {
  /** Partitions whose active consumer works through this handle; none while there is one partition, of which anybody takes. */
  readonly held: readonly number[]
  /** The bound at which all partitions are that this handle appends to, for an entry of so many bytes; undefined while one of them has room. */
  fullBound(bytes: number): Promise<Bound | undefined>
}

export interface PartitionedOptions {
  readonly open: (partition: number) => Promise<WriteStream>
  /** How many partitions this handle appends to. */
  readonly appendTo: number
  readonly claimTimeoutMs: number
  /** Of each partition. After a claim with less room than the largest entry, no further one is asked. */
  readonly bounds: StreamBounds
  /** In ms. */
  readonly now: () => number
}

/** How often the number of partitions is asked for: others may have raised it. */
const askEveryMs = 1000
const attendEveryMs = 500

/**
 * `WriteStream` over partitions which are such streams each. An append goes to one partition, by the first id in it; its step
 * is that partition's. How many there are stands in the first one; whoever appends to more raises it, and all others follow
 * within a second or two. The budgets of `reserveSlot` are the first partition's, so that they are one for all.
 *
 * With one partition everything is passed on to it. With more, a consumer is handed entries of those which it occupies: see
 * `PartitionShare`. Order is that of each partition. `maxBytes` of a claim holds as for one stream; `backlog` adds up.
 * Cost: a round asks each occupied partition in turn; an idle consumer asks each 20 times a second.
 */
export async function partitionedStream(options: PartitionedOptions): Promise<PartitionedStream> {
  const { open, appendTo, claimTimeoutMs, bounds, now } = options
  const first = await open(0)
  const streams: WriteStream[] = [first]
  const shares = new Map<Incarnation, { readonly share: PartitionShare; attendedMs: number }>()
  let askedMs = -Infinity
  let growing: Promise<void> | undefined
  let turn = 0

  const grow = async (): Promise<void> => {
    const count = await first.roster.partitions(appendTo)
    while (streams.length < count) streams.push(await open(streams.length))
    askedMs = now()
  }
  const all = async (): Promise<readonly WriteStream[]> => {
    if (now() - askedMs >= askEveryMs) await (growing ??= grow().finally(() => (growing = undefined)))
    return streams
  }
  const close = async (): Promise<void> => {
    for (const { share } of shares.values()) await share.leave(streams).catch(() => {})
    await Promise.all(streams.map((stream) => stream.close()))
  }
  try {
    await all()
  } catch (error) {
    await close()
    throw error
  }

  const shareFor = async (consumer: Incarnation): Promise<PartitionShare> => {
    const known = shares.get(consumer) ?? { share: new PartitionShare(consumer), attendedMs: -Infinity }
    shares.set(consumer, known)
    if (now() - known.attendedMs >= Math.min(attendEveryMs, claimTimeoutMs / 4)) {
      await known.share.attend(streams)
      known.attendedMs = now()
    }
    return known.share
  }
  /** Each partition begins a round in turn, so that a full one does not keep the others waiting. */
  const sweep = async (consumer: Incarnation, { maxEntries, maxBytes }: ClaimRequest): Promise<readonly Claimed[]> => {
    const share = await shareFor(consumer)
    const claims: Claimed[] = []
    let bytes = 0
    turn++
    for (let offset = 0; offset < streams.length; offset++) {
      const partition = (turn + offset) % streams.length
      const most = Math.min(maxEntries - claims.length, share.mayClaim(partition))
      if (most < 1) continue
      const request = { maxEntries: most, maxBytes: maxBytes - bytes, waitMs: 0 }
      const taken = (await streams[partition]?.claim(consumer, request)) ?? []
      share.claimed(partition, taken)
      for (const claim of taken) {
        bytes += claim.body.byteLength
        claims.push({ ...claim, entry: nameOf(claim.entry, partition) })
      }
      if (claims.length > 0 && maxBytes - bytes < bounds.maxEntryBytes) break
    }
    return claims
  }

  const settle = async <T>(
    items: readonly T[],
    claimOf: (item: T) => Claimed,
    apply: (stream: WriteStream, items: readonly T[]) => Promise<readonly SettleOutcome[]>,
  ): Promise<readonly SettleOutcome[]> => {
    const outcomes: SettleOutcome[] = items.map(() => 'not-owner')
    const indexes = Map.groupBy(items.keys(), (index) => partitionOfItem(items[index], claimOf))
    for (const [partition, own] of indexes) {
      const stream = streams[partition]
      if (stream === undefined) continue
      const settled = await apply(
        stream,
        own.flatMap((index) => items[index] ?? []),
      )
      own.forEach((index, position) => {
        outcomes[index] = settled[position] ?? 'not-owner'
        const item = items[index]
        if (item === undefined) return
        const { entry, owner } = claimOf(item)
        shares.get(owner)?.share.settled(partition, ownName(entry))
      })
    }
    return outcomes
  }

  return {
    get held() {
      return [...shares.values()].flatMap(({ share }) => share.held)
    },
    async fullBound(bytes) {
      await all()
      const backlogs = await Promise.all(streams.slice(0, appendTo).map((stream) => stream.backlog()))
      const full = backlogs.map((backlog) => fullBound(bytes, backlog, bounds))
      return full.every((bound) => bound !== undefined) ? full[0] : undefined
    },
    append(entries) {
      const partition = appendTo === 1 ? 0 : jump(key64(entries[0]?.firstId ?? ''), appendTo)
      return (streams[partition] ?? first).append(entries)
    },
    async claim(consumer, request) {
      if ((await all()).length === 1) return first.claim(consumer, request)
      return poll(
        async () => {
          await all()
          return sweep(consumer, request)
        },
        request.waitMs,
        request.signal,
      )
    },
    acknowledge: (claims) =>
      settle(
        claims,
        (claim) => claim,
        (stream, own) => stream.acknowledge(own.map(asOwn)),
      ),
    release: (claims) =>
      settle(
        claims,
        (claim) => claim,
        (stream, own) => stream.release(own.map(asOwn)),
      ),
    bury: (burials) =>
      settle(
        burials,
        ({ claimed }: Burial) => claimed,
        (stream, own) => stream.bury(own.map((burial) => ({ ...burial, claimed: asOwn(burial.claimed) }))),
      ),
    backlog: async () => sumOf(await Promise.all((await all()).map((stream) => stream.backlog()))),
    ...partitionedReads(all),
    async replay(ids) {
      const outcomes: ReplayOutcome[] = ids.map(() => ({ outcome: 'unknown' }))
      const letters = ids.map(letterOf)
      for (const [partition, stream] of (await all()).entries()) {
        const left = [...ids.keys()].filter(
          (index) => outcomes[index]?.outcome === 'unknown' && (letters[index]?.partition ?? partition) === partition,
        )
        if (left.length === 0) continue
        const replayed = await stream.replay(left.flatMap((index) => letters[index]?.id ?? []))
        left.forEach((index, position) => (outcomes[index] = replayed[position] ?? { outcome: 'unknown' }))
      }
      return outcomes
    },
    reserveSlot: (request) => first.reserveSlot(request),
    occupy: (consumer) => first.occupy(consumer),
    resign: (consumer) => first.resign(consumer),
    roster: first.roster,
    check: async () => void (await Promise.all(streams.map((stream) => stream.check()))),
    close,
    [Symbol.asyncDispose]: close,
  }
}

const asOwn = (claim: Claimed): Claimed => ({ ...claim, entry: ownName(claim.entry) })

function partitionOfItem<T>(item: T | undefined, claimOf: (item: T) => Claimed): number {
  return item === undefined ? 0 : partitionOf(claimOf(item).entry)
}
