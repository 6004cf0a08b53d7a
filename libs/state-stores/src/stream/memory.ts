import { type Fill, fullBound, refusal } from './bounds.ts'
import { claimable, handOut, type Holding, holds, nobody } from './claim-order.ts'
import { poll } from './poll.ts'
import {
  type AppendOutcome,
  type BuriedDocument,
  type Claimed,
  defaultBounds,
  defaultClaimTimeoutMs,
  type Entry,
  type SettleOutcome,
  type StreamOptions,
  type WriteStream,
} from './port.ts'
import { replayed } from './replay.ts'
import { emptyRoster, keptRoster } from './roster.ts'
import { reserve } from './slot.ts'
import { refuseUnreachable } from './wanted.ts'

interface Kept {
  readonly sequence: number
  readonly body: Buffer
  readonly documents: number
  readonly appendedAtMs: number
  readonly firstId: string | undefined
  holding?: Holding
}

const appended: AppendOutcome = {
  outcome: 'appended',
  durability: { fsyncedLocal: false, replicas: 0, volatile: true },
}

/** A queue in this process: whatever is in it is lost when the process ends, and the durability it reports says so. */
export function memoryStream({
  bounds,
  claimTimeoutMs = defaultClaimTimeoutMs,
  now = Date.now,
  wanted,
}: StreamOptions = {}): WriteStream {
  refuseUnreachable('memory:', wanted, { fsyncedLocal: false, replicas: 0 })
  const limits = { ...defaultBounds, ...bounds }
  const entries = new Map<string, Kept>()
  const dead = new Map<string, BuriedDocument>()
  const slots = new Map<string, number>()
  const totals = { sequence: 0, bytes: 0, documents: 0, appended: 0n, settled: 0n, settledBytes: 0n }
  let rosterState = emptyRoster
  const cell = {
    read: () => rosterState,
    write: (state: typeof emptyRoster) => void (rosterState = state),
    step: async <T>(action: () => T) => action(),
  }
  const { admits, ...roster } = keptRoster(cell, now, claimTimeoutMs)
  const oldestAgeMs = (): number => {
    const [oldest] = entries.values()
    return oldest === undefined ? 0 : Math.max(0, now() - oldest.appendedAtMs)
  }

  const settle = (claim: Claimed, change: (kept: Kept) => void): SettleOutcome => {
    const kept = entries.get(claim.entry)
    if (kept === undefined || !holds(kept.holding, claim)) return 'not-owner'
    change(kept)
    return 'settled'
  }
  const remove = (kept: Kept): void => {
    entries.delete(String(kept.sequence))
    totals.bytes -= kept.body.length
    totals.documents -= kept.documents
    totals.settled += BigInt(kept.documents)
    totals.settledBytes += BigInt(kept.body.length)
  }
  const add = ({ body, documents, firstId }: Entry): void => {
    const kept: Kept = {
      sequence: ++totals.sequence,
      body: Buffer.from(body),
      documents,
      appendedAtMs: now(),
      firstId,
    }
    entries.set(String(kept.sequence), kept)
    totals.bytes += kept.body.length
    totals.documents += documents
    totals.appended += BigInt(documents)
  }
  const fill = (): Fill => ({ entries: entries.size, bytes: totals.bytes, oldestAgeMs: oldestAgeMs() })
  const take = (consumer: string, maxEntries: number, maxBytes: number): Claimed[] => {
    if (!admits(consumer)) return []
    const all = [...entries.values()]
    const held = all.flatMap((kept) => (kept.holding === undefined ? [] : [{ kept, ...kept.holding }]))
    const fresh = all.filter(({ holding }) => holding === undefined)
    const taken: Claimed[] = []
    let bytes = 0
    for (const kept of [...claimable(held, consumer, now(), claimTimeoutMs).map((item) => item.kept), ...fresh]) {
      bytes += kept.body.length
      if (taken.length >= maxEntries || (taken.length > 0 && bytes > maxBytes)) break
      const holding = handOut(kept.holding, consumer, now())
      kept.holding = holding
      const { sequence, body, documents, appendedAtMs } = kept
      const { delivery, takeovers } = holding
      taken.push({ entry: String(sequence), owner: consumer, delivery, takeovers, appendedAtMs, documents, body })
    }
    return taken
  }

  return {
    append: async (batch) =>
      batch.map((entry) => {
        const refused = refusal(entry, fill(), limits)
        if (refused !== undefined) return refused
        add(entry)
        return appended
      }),
    claim: (consumer, { maxEntries, maxBytes, waitMs, signal }) =>
      poll(async () => take(consumer, maxEntries, maxBytes), waitMs, signal),
    acknowledge: async (claims) => claims.map((claim) => settle(claim, remove)),
    bury: async (burials) =>
      burials.map(({ claimed, dead: letters }) =>
        settle(claimed, (kept) => {
          for (const { id, reason, body } of letters) {
            const other = dead.get(id)
            if (other !== undefined && Buffer.compare(other.body, body) === 0) continue
            const key = other === undefined ? id : `${id}/${kept.sequence}`
            dead.set(key, {
              id: key,
              reason,
              body: Buffer.from(body),
              buriedAtMs: now(),
              deliveries: claimed.delivery,
            })
          }
          remove(kept)
        }),
      ),
    release: async (claims) =>
      claims.map((claim) =>
        settle(claim, (kept) => {
          if (kept.holding !== undefined) kept.holding = { ...kept.holding, owner: nobody }
        }),
      ),
    backlog: async () => ({
      entries: entries.size,
      documents: totals.documents,
      bytes: totals.bytes,
      oldestAgeMs: oldestAgeMs(),
      parkedEntries: 0,
      deadLetters: dead.size,
      appendedDocuments: totals.appended,
      settledDocuments: totals.settled,
      settledBytes: totals.settledBytes,
    }),
    deadLetters: async ({ after = '', limit }) =>
      [...dead.values()]
        .filter(({ id }) => id > after)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit),
    deadLetter: async (id) => dead.get(id),
    replay: async (ids) =>
      ids.map((id) => {
        const letter = dead.get(id)
        if (letter === undefined) return { outcome: 'unknown' }
        const entry = replayed(letter)
        const bound = fullBound(entry.body.byteLength, fill(), limits)
        if (bound !== undefined) return { outcome: 'full', bound }
        dead.delete(id)
        add(entry)
        return { outcome: 'replayed' }
      }),
    async locate(id) {
      const candidates = [...entries.values()].filter(
        ({ firstId }) => firstId?.slice(8, 18) === id.slice(8, 18) && firstId.slice(18) <= id.slice(18),
      )
      return candidates.toSorted((a, b) => ((a.firstId ?? '').slice(18) < (b.firstId ?? '').slice(18) ? 1 : -1))[0]
        ?.body
    },
    queued: async ({ after = '0', limit }) =>
      [...entries.values()]
        .filter(({ sequence }) => sequence > Number(after))
        .slice(0, limit)
        .map(({ sequence, body }) => ({ entry: String(sequence), body })),
    async reserveSlot(request) {
      const nowMs = now()
      const { slotMs, nextMs } = reserve(slots.get(request.budget) ?? 0, nowMs, request)
      slots.set(request.budget, nextMs)
      return slotMs - nowMs
    },
    ...roster,
    check: async () => {},
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  }
}
