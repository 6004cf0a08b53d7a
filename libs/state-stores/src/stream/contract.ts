import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { Claimed, ClaimRequest, DeadDocument, Durability, Entry, StreamOptions, WriteStream } from './port.ts'

export interface StreamCapabilities {
  /** What an append of this backend reports. */
  readonly durability: Durability
  /** Whether the data outlives the handle; a second handle on the same name then sees it. */
  readonly shared: boolean
  /** Whether it can be given replicas. */
  readonly replicas?: boolean
}

const entry = (text: string, documents = 1, firstId?: string): Entry => ({
  documents,
  body: Buffer.from(text),
  ...(firstId === undefined ? {} : { firstId }),
})
const texts = (claims: readonly Claimed[]): string[] => claims.map(({ body }) => Buffer.from(body).toString())
const only = (claims: readonly Claimed[]): Claimed => {
  const [claim] = claims
  if (claim === undefined || claims.length !== 1) throw new Error(`expected one claim, got ${claims.length}`)
  return claim
}
const letter = (text: string): DeadDocument[] => [{ id: 'same', reason: 'conflict', body: Buffer.from(text) }]
const idOf = (writer: string, counter: string, seconds = '65000000'): string => seconds + writer + counter

/** The rules of `WriteStream`, for any backend. The same name means the same data; `options.now` is the stream's clock. */
export function describeStreamContract(
  backend: string,
  open: (name: string, options: StreamOptions) => Promise<WriteStream>,
  { durability, shared, replicas = false }: StreamCapabilities,
): void {
  let opened = 0
  const name = (): string => `stream-${process.pid}-${++opened}`
  // In the past: a server takes no delivery time of the future.
  const clock = { nowMs: 1_700_000_000_000 }
  const now = (): number => clock.nowMs
  const fresh = (options: StreamOptions = {}): Promise<WriteStream> => open(name(), { now, ...options })
  const request: ClaimRequest = { maxEntries: 100, maxBytes: 1_000_000, waitMs: 0 }
  afterEach(() => void (clock.nowMs = 1_700_000_000_000))

  describe(`stream: ${backend}`, () => {
    test('hands entries out in order of appending and forgets them when they are acknowledged', async () => {
      await using stream = await fresh()
      const appended = { outcome: 'appended', durability }
      expect(await stream.append([entry('a', 5), entry('b', 2)])).toEqual([appended, appended])
      expect(await stream.append([entry('c')])).toEqual([appended])
      const claims = await stream.claim('one', request)
      expect(texts(claims)).toEqual(['a', 'b', 'c'])
      expect(claims[0]).toMatchObject({ owner: 'one', delivery: 1, takeovers: 0, documents: 5, appendedAtMs: now() })
      expect(await stream.acknowledge(claims)).toEqual(['settled', 'settled', 'settled'])
      expect(await stream.claim('one', request)).toEqual([])
      expect(await stream.backlog()).toMatchObject({ entries: 0, bytes: 0, documents: 0, oldestAgeMs: 0 })
    })

    test('nothing leaves the queue unless it is acknowledged or buried', async () => {
      await using stream = await fresh()
      await stream.append(Array.from({ length: 300 }, (_, n) => entry(String(n))))
      await stream.claim('one', request)
      await stream.claim('two', request)
      expect(await stream.backlog()).toMatchObject({ entries: 300, documents: 300 })
      clock.nowMs += 24 * 3_600_000
      const all = await stream.claim('three', { ...request, maxEntries: 1000 })
      expect(texts(all)).toEqual(Array.from({ length: 300 }, (_, n) => String(n)))
    })

    test('a claim is bounded by entries and bytes, and the first entry is always handed out', async () => {
      await using stream = await fresh()
      await stream.append([entry('x'.repeat(100)), entry('y'.repeat(100)), entry('z'.repeat(100))])
      expect(await stream.claim('one', { ...request, maxBytes: 10 })).toHaveLength(1)
      expect(await stream.claim('two', { ...request, maxBytes: 199 })).toHaveLength(1)
      expect(await stream.claim('three', { ...request, maxEntries: 0 })).toHaveLength(0)
    })

    test('an incarnation gets its own pending entries again, before new ones, with a higher delivery', async () => {
      await using stream = await fresh()
      await stream.append([entry('a')])
      const first = only(await stream.claim('one', request))
      await stream.append([entry('b')])
      const again = await stream.claim('one', request)
      expect(again.map(({ body, delivery }) => [Buffer.from(body).toString(), delivery])).toEqual([
        ['a', 2],
        ['b', 1],
      ])
      expect(await stream.acknowledge([first])).toEqual(['not-owner'])
      expect(await stream.acknowledge(again)).toEqual(['settled', 'settled'])
      expect(await stream.acknowledge(again)).toEqual(['not-owner', 'not-owner'])
    })

    test('another consumer gets an entry only after the claim time-out, before new ones; then the old claim is void', async () => {
      await using stream = await fresh({ claimTimeoutMs: 1000 })
      await stream.append([entry('a')])
      const slow = only(await stream.claim('slow', request))
      await stream.append([entry('b')])
      clock.nowMs += 1000
      expect(texts(await stream.claim('other', { ...request, maxEntries: 1 }))).toEqual(['b'])
      clock.nowMs += 1
      const heir = await stream.claim('heir', { ...request, maxEntries: 1 })
      expect(only(heir)).toMatchObject({ owner: 'heir', delivery: 2, takeovers: 1 })
      expect(texts(heir)).toEqual(['a'])
      expect(await stream.acknowledge([slow])).toEqual(['not-owner'])
      expect(await stream.bury([{ claimed: slow, dead: [] }])).toEqual(['not-owner'])
      expect(await stream.release([slow])).toEqual(['not-owner'])
      expect(await stream.acknowledge(heir)).toEqual(['settled'])
    })

    test('a released entry is there for others at once and is no takeover', async () => {
      await using stream = await fresh()
      await stream.append([entry('a')])
      const claims = await stream.claim('one', request)
      expect(await stream.release(claims)).toEqual(['settled'])
      expect(await stream.acknowledge(claims)).toEqual(['not-owner'])
      expect(only(await stream.claim('two', request))).toMatchObject({ delivery: 2, takeovers: 0 })
    })

    test('bury removes the entry and keeps its dead documents, listed by id', async () => {
      await using stream = await fresh()
      await stream.append([entry('a', 3)])
      const claimed = only(await stream.claim('one', request))
      const dead = [
        { id: 'b2', reason: 'conflict', body: Buffer.from('2') },
        { id: 'b1', reason: 'invalid: no BSON', body: Buffer.from('1') },
      ]
      expect(await stream.bury([{ claimed, dead }])).toEqual(['settled'])
      expect(await stream.backlog()).toMatchObject({ entries: 0, deadLetters: 2, settledDocuments: 3n })
      const letters = await stream.deadLetters({ limit: 10 })
      expect(letters.map(({ id, reason }) => [id, reason])).toEqual([
        ['b1', 'invalid: no BSON'],
        ['b2', 'conflict'],
      ])
      expect(Buffer.from(letters[1]?.body ?? []).toString()).toBe('2')
      expect(await stream.deadLetters({ after: 'b1', limit: 10 })).toHaveLength(1)
      expect(await stream.deadLetter('b1')).toMatchObject({ deliveries: 1, buriedAtMs: now() })
      expect(await stream.deadLetter('b3')).toBeUndefined()
    })

    test('a refused bury keeps no letter, and a different document never replaces a letter', async () => {
      await using stream = await fresh({ claimTimeoutMs: 1000 })
      await stream.append([entry('a'), entry('b'), entry('c')])
      const [a, b, c] = await stream.claim('one', request)
      if (a === undefined || b === undefined || c === undefined) throw new Error('expected three claims')
      clock.nowMs += 2000
      const other = await stream.claim('two', { ...request, maxEntries: 1 })
      expect(await stream.bury([{ claimed: a, dead: letter('void') }])).toEqual(['not-owner'])
      expect((await stream.backlog()).deadLetters).toBe(0)
      await stream.bury([{ claimed: only(other), dead: letter('first') }])
      await stream.bury([
        { claimed: b, dead: letter('first') },
        { claimed: c, dead: letter('second') },
      ])
      const kept = await stream.deadLetters({ limit: 10 })
      expect(kept.map(({ body }) => Buffer.from(body).toString()).toSorted()).toEqual(['first', 'second'])
    })

    test('a dead letter is replayed in one step: dead before, queued after, and found there under its id', async () => {
      await using stream = await fresh()
      const id = idOf('aaaaaaaaaa', '000010')
      await stream.append([entry('whole', 3)])
      const claimed = only(await stream.claim('one', request))
      const dead = [id, 'entry:7'].map((of) => ({ id: of, reason: 'invalid: ä', body: Buffer.from(`body of ${of}`) }))
      await stream.bury([{ claimed, dead }])
      expect(await stream.replay([id, 'none', id, 'entry:7'])).toEqual(
        ['replayed', 'unknown', 'unknown', 'replayed'].map((outcome) => ({ outcome })),
      )
      expect(await stream.backlog()).toMatchObject({
        entries: 2,
        documents: 2,
        deadLetters: 0,
        appendedDocuments: 5n,
        settledDocuments: 3n,
      })
      expect(await stream.deadLetters({ limit: 10 })).toEqual([])
      expect(Buffer.from((await stream.locate(id)) ?? []).toString()).toBe(`body of ${id}`)
      const again = await stream.claim('one', request)
      expect(texts(again)).toEqual([`body of ${id}`, 'body of entry:7'])
      expect(again[0]).toMatchObject({ documents: 1, delivery: 1, takeovers: 0 })
      expect(again[0]?.damaged).toBeUndefined()
      expect(await stream.acknowledge(again)).toEqual(['settled', 'settled'])
      expect(await stream.backlog()).toMatchObject({ entries: 0, bytes: 0, settledDocuments: 5n })
    })

    test('a replay keeps to the bounds: what has no room stays dead', async () => {
      await using stream = await fresh({
        bounds: { maxEntries: 2, maxBytes: 100, maxEntryBytes: 60, maxOldestAgeMs: 5000 },
      })
      await stream.append([entry('a')])
      const dead = ['1', '2', '3'].map((id) => ({ id, reason: 'x', body: Buffer.from(id.repeat(id === '1' ? 90 : 5)) }))
      await stream.bury([{ claimed: only(await stream.claim('one', request)), dead }])
      await stream.append([entry('y'.repeat(20))])
      expect(await stream.replay(['1', '2', '3'])).toEqual([
        { outcome: 'full', bound: 'bytes' },
        { outcome: 'replayed' },
        { outcome: 'full', bound: 'entries' },
      ])
      await stream.acknowledge(await stream.claim('one', { ...request, maxEntries: 1 }))
      clock.nowMs += 5001
      expect(await stream.replay(['3'])).toEqual([{ outcome: 'full', bound: 'age' }])
      expect((await stream.deadLetters({ limit: 10 })).map(({ id }) => id)).toEqual(['1', '3'])
      expect((await stream.backlog()).deadLetters).toBe(2)
    })

    test('two operators who replay the same letters move each once', async () => {
      await using stream = await fresh()
      await stream.append([entry('a')])
      const dead = Array.from({ length: 20 }, (_, n) => ({ id: `letter ${n}`, reason: 'x', body: Buffer.from(`${n}`) }))
      await stream.bury([{ claimed: only(await stream.claim('one', request)), dead }])
      const ids = dead.map(({ id }) => id)
      const both = await Promise.all([stream.replay(ids), stream.replay(ids)])
      expect(both.flat().filter(({ outcome }) => outcome === 'replayed')).toHaveLength(20)
      expect(await stream.backlog()).toMatchObject({ entries: 20, deadLetters: 0 })
    })

    test('durability that is wanted and cannot be had is refused when it opens', async () => {
      const possible: boolean[] = []
      for (const wanted of [{ fsyncedLocal: true }, { replicas: 1 }]) {
        const stream = await open(name(), { now, wanted }).catch(() => undefined)
        possible.push(stream !== undefined)
        await stream?.close()
      }
      expect(possible).toEqual([durability.fsyncedLocal, replicas])
    })

    test('one settle call answers per claim', async () => {
      await using stream = await fresh()
      await stream.append([entry('a'), entry('b')])
      const claims = await stream.claim('one', request)
      await stream.acknowledge(claims.slice(0, 1))
      expect(await stream.acknowledge(claims)).toEqual(['not-owner', 'settled'])
    })

    test('is full by entries and has room again after an acknowledgement; refusal is per entry', async () => {
      await using stream = await fresh({ bounds: { maxEntries: 2 } })
      const outcomes = await stream.append([entry('a'), entry('b'), entry('c')])
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['appended', 'appended', 'full'])
      expect(outcomes[2]).toEqual({ outcome: 'full', bound: 'entries' })
      const claims = await stream.claim('one', { ...request, maxEntries: 1 })
      expect(await stream.append([entry('d')])).toEqual([{ outcome: 'full', bound: 'entries' }])
      await stream.acknowledge(claims)
      expect(await stream.append([entry('d')])).toMatchObject([{ outcome: 'appended' }])
    })

    test('is full by bytes, yet a smaller entry still fits', async () => {
      await using stream = await fresh({ bounds: { maxBytes: 100 } })
      const outcomes = await stream.append([entry('x'.repeat(60)), entry('y'.repeat(60)), entry('z'.repeat(40))])
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['appended', 'full', 'appended'])
      expect(outcomes[1]).toEqual({ outcome: 'full', bound: 'bytes' })
      expect(await stream.backlog()).toMatchObject({ entries: 2, bytes: 100 })
    })

    test('is full while its oldest entry is too old', async () => {
      await using stream = await fresh({ bounds: { maxOldestAgeMs: 5000 } })
      await stream.append([entry('a')])
      clock.nowMs += 5000
      expect(await stream.append([entry('b')])).toMatchObject([{ outcome: 'appended' }])
      clock.nowMs += 1
      expect(await stream.append([entry('c')])).toEqual([{ outcome: 'full', bound: 'age' }])
      expect((await stream.backlog()).oldestAgeMs).toBe(5001)
      await stream.acknowledge(await stream.claim('one', { ...request, maxEntries: 1 }))
      expect(await stream.append([entry('c')])).toMatchObject([{ outcome: 'appended' }])
    })

    test('an entry above the largest size is told so and its neighbours are taken', async () => {
      await using stream = await fresh({ bounds: { maxEntryBytes: 10 } })
      const outcomes = await stream.append([entry('x'.repeat(11)), entry('ok')])
      expect(outcomes[0]).toEqual({ outcome: 'too-large', maxBytes: 10 })
      expect(outcomes[1]).toMatchObject({ outcome: 'appended' })
    })

    test('counts what passed through', async () => {
      await using stream = await fresh()
      await stream.append([entry('abc', 5), entry('de', 4)])
      await stream.acknowledge(await stream.claim('one', { ...request, maxEntries: 1 }))
      expect(await stream.backlog()).toEqual({
        entries: 1,
        documents: 4,
        bytes: 2,
        oldestAgeMs: 0,
        parkedEntries: 0,
        deadLetters: 0,
        appendedDocuments: 9n,
        settledDocuments: 5n,
        settledBytes: 3n,
      })
    })

    test('bodies may be reused once append has answered', async () => {
      await using stream = await fresh()
      const body = Buffer.from('kept')
      await stream.append([{ documents: 1, body }])
      body.fill(0)
      expect(texts(await stream.claim('one', request))).toEqual(['kept'])
    })

    test('a waiting claim sees an entry that comes later, and ends with its signal', async () => {
      await using stream = await fresh()
      const waiting = stream.claim('one', { ...request, waitMs: 10_000 })
      await stream.append([entry('late')])
      expect(texts(await waiting)).toEqual(['late'])
      const stop = new AbortController()
      const endless = stream.claim('two', { ...request, waitMs: 3_600_000, signal: stop.signal })
      stop.abort()
      expect(await endless).toEqual([])
    })

    test('locates the entry of an id by writer and counter, also across a wrap of the counter', async () => {
      await using stream = await fresh()
      await stream.append([
        entry('low', 2, idOf('aaaaaaaaaa', '000010')),
        entry('high', 2, idOf('aaaaaaaaaa', 'fffff0')),
        entry('wrapped', 2, idOf('aaaaaaaaaa', '000000', '65000001')),
        entry('other', 2, idOf('bbbbbbbbbb', '000012')),
        entry('anonymous'),
      ])
      const located = async (wanted: string): Promise<string | undefined> => {
        const body = await stream.locate(wanted)
        return body === undefined ? undefined : Buffer.from(body).toString()
      }
      expect(await located(idOf('aaaaaaaaaa', '000011'))).toBe('low')
      expect(await located(idOf('aaaaaaaaaa', 'fffff1'))).toBe('high')
      expect(await located(idOf('aaaaaaaaaa', '000001', '65000001'))).toBe('wrapped')
      expect(await located(idOf('bbbbbbbbbb', '000011'))).toBeUndefined()
      expect(await located(idOf('cccccccccc', '000011'))).toBeUndefined()
      await stream.acknowledge(await stream.claim('one', { ...request, maxEntries: 2 }))
      expect(await located(idOf('aaaaaaaaaa', 'fffff1'))).toBe('wrapped')
    })

    test('lists queued bodies in pages, claimed ones included', async () => {
      await using stream = await fresh()
      await stream.append([entry('a'), entry('b'), entry('c')])
      await stream.claim('one', { ...request, maxEntries: 1 })
      const first = await stream.queued({ limit: 2 })
      expect(first.map(({ body }) => Buffer.from(body).toString())).toEqual(['a', 'b'])
      const rest = await stream.queued({ after: first[1]?.entry ?? '', limit: 2 })
      expect(rest.map(({ body }) => Buffer.from(body).toString())).toEqual(['c'])
    })

    test('slots of one budget are an interval apart, whoever asks; other budgets are their own', async () => {
      await using stream = await fresh()
      const slot = (sinceLastMs = Infinity, budget = 'commands'): Promise<number> =>
        stream.reserveSlot({ budget, intervalMs: 10, sinceLastMs })
      expect(await slot()).toBe(0)
      expect(await slot()).toBe(10)
      expect(await slot(Infinity, 'else')).toBe(0)
      clock.nowMs += 100
      expect(await slot()).toBe(0)
      clock.nowMs += 100
      expect(await slot(4)).toBe(6)
    })

    test('concurrent claims of many consumers hand each entry out once', async () => {
      await using stream = await fresh()
      await stream.append(Array.from({ length: 60 }, (_, n) => entry(String(n))))
      const claims = await Promise.all(
        Array.from({ length: 6 }, (_, n) => stream.claim(`consumer-${n}`, { ...request, maxEntries: 10 })),
      )
      expect(new Set(claims.flatMap(texts)).size).toBe(60)
      expect(claims.flat()).toHaveLength(60)
    })

    test('against a model: no history of calls loses an entry or lets two incarnations settle it', async () => {
      const step = fc.oneof(
        fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 3 }) }),
        fc.record({
          kind: fc.constantFrom('claim' as const, 'acknowledge' as const, 'release' as const, 'bury' as const),
          who: fc.constantFrom('one', 'two'),
          count: fc.integer({ min: 1, max: 3 }),
        }),
        fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(400, 1200) }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          await using stream = await fresh({ claimTimeoutMs: 1000 })
          const appended = new Set<string>()
          const settled: string[] = []
          const hands = new Map<string, Claimed[]>()
          for (const action of steps) {
            if (action.kind === 'wait') clock.nowMs += action.ms
            else if (action.kind === 'append') {
              const batch = Array.from({ length: action.count }, (_, n) => `${appended.size}-${n}`)
              for (const text of batch) appended.add(text)
              await stream.append(batch.map((text) => entry(text)))
            } else if (action.kind === 'claim') {
              hands.set(action.who, [...(await stream.claim(action.who, { ...request, maxEntries: action.count }))])
            } else {
              const claims = (hands.get(action.who) ?? []).slice(0, action.count)
              const outcomes =
                action.kind === 'bury'
                  ? await stream.bury(claims.map((claimed) => ({ claimed, dead: [] })))
                  : await stream[action.kind](claims)
              const done = claims.filter((_, index) => outcomes[index] === 'settled')
              if (action.kind !== 'release') settled.push(...texts(done))
            }
          }
          expect(new Set(settled).size).toBe(settled.length)
          const queued = (await stream.queued({ limit: 1000 })).map(({ body }) => Buffer.from(body).toString())
          expect(new Set([...queued, ...settled])).toEqual(appended)
          expect(queued.length + settled.length).toBe(appended.size)
          const backlog = await stream.backlog()
          expect(backlog.entries).toBe(queued.length)
          expect(Number(backlog.settledDocuments)).toBe(settled.length)
        }),
        { numRuns: 40 },
      )
    })

    test.skipIf(!shared)('entries, claims, dead letters and slots survive close and open', async () => {
      const data = name()
      {
        await using stream = await open(data, { now })
        await stream.append([entry('a'), entry('b'), entry('c')])
        const [a, b] = await stream.claim('one', { ...request, maxEntries: 2 })
        if (a === undefined || b === undefined) throw new Error('expected two claims')
        await stream.bury([{ claimed: a, dead: [{ id: 'x', reason: 'conflict', body: Buffer.from('a') }] }])
        await stream.reserveSlot({ budget: 'commands', intervalMs: 50, sinceLastMs: Infinity })
      }
      await using stream = await open(data, { now })
      expect(await stream.backlog()).toMatchObject({ entries: 2, deadLetters: 1, appendedDocuments: 3n })
      expect(texts(await stream.claim('two', request))).toEqual(['c'])
      expect(texts(await stream.claim('one', request))).toEqual(['b'])
      expect(await stream.reserveSlot({ budget: 'commands', intervalMs: 50, sinceLastMs: Infinity })).toBe(50)
    })

    test.skipIf(!shared)('two handles on the same data see each other at once', async () => {
      const data = name()
      await using producer = await open(data, { now })
      await using consumer = await open(data, { now })
      for (let round = 0; round < 20; round++) {
        await producer.append([entry(`round ${round}`)])
        const claims = await consumer.claim('one', request)
        expect(texts(claims)).toEqual([`round ${round}`])
        await consumer.acknowledge(claims)
        expect(await producer.backlog()).toMatchObject({ entries: 0 })
      }
    })
  })
}
