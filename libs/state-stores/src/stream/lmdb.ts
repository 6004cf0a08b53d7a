import { openLmdb } from '../lmdb-environment.ts'
import { fullBound, refusal } from './bounds.ts'
import { claimable, handOut, type Holding, holds, nobody, parked } from './claim-order.ts'
import { decodeDead, keepDead } from './lmdb-dead.ts'
import {
  decodeFrame,
  decodeHolding,
  decodeState,
  encodeFrame,
  encodeHolding,
  encodeState,
  encodeTime,
  frameDamage,
  frameHeaderBytes,
  isLater,
  sequenceKey,
  sequenceOf,
  type StreamState,
  writerKey,
} from './lmdb-records.ts'
import { oldestReadable, parkedIn } from './lmdb-later.ts'
import { lmdbReads } from './lmdb-reads.ts'
import { poll } from './poll.ts'
import {
  type AppendOutcome,
  type Claimed,
  type ClaimRequest,
  defaultBounds,
  defaultClaimTimeoutMs,
  type Entry,
  type SettleOutcome,
  type StreamOptions,
  type WriteStream,
} from './port.ts'
import { replayed } from './replay.ts'
import { LmdbRoom } from './lmdb-room.ts'
import { lmdbRoster } from './lmdb-roster.ts'
import { reserve } from './slot.ts'
import { refuseUnreachable } from './wanted.ts'

const appended = { outcome: 'appended', durability: { fsyncedLocal: true, replicas: 0 } } satisfies AppendOutcome

/**
 * A queue in an LMDB environment on a local disk, shared by the processes of one machine.
 *
 * Each method is one write transaction, whose commit is synced before the promise resolves. Writers exclude
 * each other by LMDB's robust mutex, which a killed process gives back.
 * Cost: one fsync for each append, claim and settle call, however many entries it names.
 */
export async function lmdbStream({
  path,
  bounds,
  claimTimeoutMs = defaultClaimTimeoutMs,
  now = Date.now,
  commitTimeoutMs = 30_000,
  wanted,
  onParked = () => {},
  watchesOthers = false,
}: StreamOptions & { readonly path: string; readonly commitTimeoutMs?: number }): Promise<WriteStream> {
  const limits = { ...defaultBounds, ...bounds }
  refuseUnreachable(`lmdb:${path}`, wanted, appended.durability)
  const environment = await openLmdb({ path, commitTimeoutMs })
  const state = environment.table('state')
  /** Sequence -> frame. */
  const entries = environment.table('entries')
  /** Sequence -> who holds it; absent while the entry was never handed out. */
  const holdings = environment.table('holdings')
  /** Writer and counter of an entry's first id -> sequence. */
  const firstIds = environment.table('first-ids')
  const dead = environment.table('dead')
  /** Budget -> time of the next free slot. */
  const slots = environment.table('slots')

  const { admits, ...roster } = lmdbRoster(environment, now, claimTimeoutMs)
  const { maxEntryBytes } = limits
  const room = new LmdbRoom({ environment, maxEntryBytes, watchesOthers, now: () => performance.now() })

  const readState = (): StreamState => decodeState(state.get(totalsKey))
  const change = <T>(action: (totals: StreamState) => T): Promise<T> =>
    environment.transact(() => {
      const totals = readState()
      const before = JSON.stringify(totals)
      const result = action(totals)
      // A step that changed nothing has nothing to sync.
      if (JSON.stringify(totals) !== before) state.put(totalsKey, encodeState(totals))
      return result
    })
  /** For reads outside a transaction: without the refresh they could answer from a snapshot older than the call. */
  const latest = <T>(read: () => T): T => {
    environment.refresh()
    return read()
  }
  const oldestAtMs = oldestReadable(entries)
  const oldestAgeMs = (): number => Math.max(0, now() - (oldestAtMs() ?? Infinity))

  const frameOf = (sequence: number): Buffer => {
    const frame = entries.get(sequenceKey(sequence))
    if (frame === undefined) throw new Error(`entry ${sequence} is held but not there`)
    return frame
  }

  const appendOne = (entry: Entry, totals: StreamState, ageMs: number, nowMs: number): AppendOutcome => {
    const { entries: count, bytes } = totals
    const refused = refusal(entry, { entries: count, bytes, oldestAgeMs: ageMs }, limits)
    if (refused !== undefined) return refused
    add(entry, totals, nowMs)
    return appended
  }
  const add = ({ documents, body, firstId }: Entry, totals: StreamState, nowMs: number): void => {
    const sequence = ++totals.lastSequence
    entries.put(sequenceKey(sequence), encodeFrame({ documents, appendedAtMs: nowMs, firstId, body }))
    if (firstId !== undefined) firstIds.put(writerKey(firstId), sequenceKey(sequence))
    totals.entries++
    totals.documents += documents
    totals.bytes += body.byteLength
    totals.appendedDocuments += documents
  }

  const handOver = (sequence: number, consumer: string, nowMs: number, frame: Buffer): Claimed => {
    const holding = handOut(decodeHolding(holdings.get(sequenceKey(sequence))), consumer, nowMs)
    holdings.put(sequenceKey(sequence), encodeHolding(holding))
    const { documents, appendedAtMs, body } = decodeFrame(frame)
    const { delivery, takeovers } = holding
    const claim = { entry: String(sequence), owner: consumer, delivery, takeovers, appendedAtMs, documents, body }
    const damaged = frameDamage(frame)
    return damaged === undefined ? claim : { ...claim, damaged }
  }
  const park = (sequence: number, nowMs: number): void => {
    const holding = handOut(decodeHolding(holdings.get(sequenceKey(sequence))), parked, nowMs)
    holdings.put(sequenceKey(sequence), encodeHolding(holding))
    later++
  }
  /** Parked by the step that runs; told once it is over. */
  let later = 0
  function* candidates(waiting: readonly number[], lastClaimed: number): Iterable<{ sequence: number; frame: Buffer }> {
    for (const sequence of waiting) yield { sequence, frame: frameOf(sequence) }
    // Not one range over all: it must not be open while a holding is written.
    for (let sequence = lastClaimed + 1; ; sequence++) {
      const frame = entries.get(sequenceKey(sequence))
      if (frame === undefined) return
      yield { sequence, frame }
    }
  }
  const take = (consumer: string, { maxEntries, maxBytes }: ClaimRequest): Promise<Claimed[]> =>
    change((totals) => {
      if (!admits(consumer)) return []
      const nowMs = now()
      const held: (Holding & { sequence: number })[] = []
      for (const { key, value } of holdings.range()) {
        const holding = decodeHolding(value)
        if (holding !== undefined) held.push({ sequence: sequenceOf(key), ...holding })
      }
      const waiting = claimable(held, consumer, nowMs, claimTimeoutMs).map(({ sequence }) => sequence)
      const taken: Claimed[] = []
      let bytes = 0
      for (const { sequence, frame } of candidates(waiting, totals.lastClaimed)) {
        if (isLater(frame)) {
          park(sequence, nowMs)
          totals.lastClaimed = Math.max(totals.lastClaimed, sequence)
          continue
        }
        bytes += frame.length - frameHeaderBytes
        if (taken.length >= maxEntries || (taken.length > 0 && bytes > maxBytes)) break
        taken.push(handOver(sequence, consumer, nowMs, frame))
        totals.lastClaimed = Math.max(totals.lastClaimed, sequence)
      }
      return taken
    })

  const settle = <T>(
    items: readonly T[],
    claimOf: (item: T) => Claimed,
    apply: (item: T, sequence: number, totals: StreamState) => void,
  ): Promise<readonly SettleOutcome[]> =>
    change((totals) =>
      items.map((item) => {
        const claim = claimOf(item)
        const sequence = Number(claim.entry)
        if (!holds(decodeHolding(holdings.get(sequenceKey(sequence))), claim)) return 'not-owner'
        apply(item, sequence, totals)
        return 'settled'
      }),
    )
  const remove = (sequence: number, totals: StreamState): void => {
    const key = sequenceKey(sequence)
    const { documents, firstId, body } = decodeFrame(frameOf(sequence))
    if (firstId !== undefined && firstIds.get(writerKey(firstId))?.equals(key) === true) {
      firstIds.remove(writerKey(firstId))
    }
    entries.remove(key)
    holdings.remove(key)
    totals.entries--
    totals.documents -= documents
    totals.bytes -= body.length
    totals.settledDocuments += documents
    totals.settledBytes += body.length
  }

  return {
    append: (batch) => {
      const appending = change((totals) => {
        const nowMs = now()
        const ageMs = oldestAgeMs()
        return batch.map((entry) => appendOne(entry, totals, ageMs, nowMs))
      })
      return room.watch(batch, appending)
    },
    claim: (consumer, request) =>
      poll(
        // The read spares an idle consumer the write lock.
        async () => {
          if (latest(readState).entries === 0) return []
          const taken = await take(consumer, request)
          if (later > 0) onParked(later)
          later = 0
          return taken
        },
        request.waitMs,
        request.signal,
      ),
    acknowledge: (claims) =>
      settle(
        claims,
        (claim) => claim,
        (_claim, sequence, totals) => remove(sequence, totals),
      ),
    bury: (burials) =>
      settle(
        burials,
        ({ claimed }) => claimed,
        ({ claimed, dead: letters }, sequence, totals) => {
          const buriedAtMs = now()
          for (const letter of letters) {
            const kept = keepDead(dead, { ...letter, buriedAtMs, deliveries: claimed.delivery }, sequence)
            if (kept) totals.deadLetters++
          }
          remove(sequence, totals)
        },
      ),
    release: (claims) =>
      settle(
        claims,
        (claim) => claim,
        (_claim, sequence) => {
          const key = sequenceKey(sequence)
          const holding = decodeHolding(holdings.get(key))
          if (holding !== undefined) holdings.put(key, encodeHolding({ ...holding, owner: nobody }))
        },
      ),
    backlog: async () =>
      latest(() => {
        const totals = readState()
        return {
          entries: totals.entries,
          documents: totals.documents,
          bytes: totals.bytes,
          oldestAgeMs: oldestAgeMs(),
          parkedEntries: parkedIn(holdings),
          deadLetters: totals.deadLetters,
          appendedDocuments: BigInt(totals.appendedDocuments),
          settledDocuments: BigInt(totals.settledDocuments),
          settledBytes: BigInt(totals.settledBytes),
        }
      }),
    ...lmdbReads({ entries, firstIds, dead, latest }),
    replay: (ids) =>
      change((totals) => {
        const nowMs = now()
        const ageMs = oldestAgeMs()
        return ids.map((id) => {
          const stored = dead.get(Buffer.from(id))
          if (stored === undefined) return { outcome: 'unknown' }
          const entry = replayed(decodeDead(stored))
          const { entries: count, bytes } = totals
          const bound = fullBound(entry.body.byteLength, { entries: count, bytes, oldestAgeMs: ageMs }, limits)
          if (bound !== undefined) return { outcome: 'full', bound }
          dead.remove(Buffer.from(id))
          totals.deadLetters--
          add(entry, totals, nowMs)
          return { outcome: 'replayed' }
        })
      }),
    reserveSlot: (request) =>
      environment.transact(() => {
        const nowMs = now()
        const key = Buffer.from(request.budget)
        const { slotMs, nextMs } = reserve(slots.get(key)?.readDoubleBE() ?? 0, nowMs, request)
        slots.put(key, encodeTime(nextMs))
        return slotMs - nowMs
      }),
    ...roster,
    check: async () => {
      environment.check()
      latest(readState)
      await room.check()
    },
    close: () => environment.close(),
    [Symbol.asyncDispose]: () => environment.close(),
  }
}

const totalsKey = Buffer.from('totals')
