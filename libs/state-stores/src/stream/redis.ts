import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { type RedisArgument, RedisConnection, type RedisReply } from '../redis/connection.ts'
import { asBytes, asList, asNumber, asRecord, asText } from '../redis/reply.ts'
import { runScript, type Script } from '../redis/script.ts'
import { integerParameter, parseRedisUrl } from '../redis/url.ts'
import { checksum } from './checksum.ts'
import {
  type AppendOutcome,
  type Burial,
  type BuriedDocument,
  type Claimed,
  type ClaimRequest,
  defaultBounds,
  defaultClaimTimeoutMs,
  type Durability,
  type Entry,
  type SettleOutcome,
  type StreamOptions,
  type WriteStream,
} from './port.ts'
import { RedisDoorbell } from './redis-doorbell.ts'
import { bodyForAudit, decodeEntry, LaterFormatError } from './redis-entry.ts'
import { decodeLetter } from './redis-letter.ts'
import { redisRoster } from './redis-roster.ts'
import { firstIdOf } from './replay.ts'
import { refuseVolatile } from './redis-volatile.ts'
import {
  appendScript,
  backlogScript,
  claimScript,
  forgetScript,
  locateScript,
  replayScript,
  settleScript,
  slotScript,
} from './redis-scripts.ts'

export interface RedisStreamOptions extends StreamOptions {
  /**
   * `redis://host:6379/0`; parameters: `stream` (key, default `writes`), `replicas` (how many must confirm an append,
   * default 0), `waitMs` (for how long they are waited for, default 1000), `timeoutMs` (of a command, default 5000), and
   * `volatile=yes`: a server that writes no append-only file will do, although its restart loses the queue.
   */
  readonly url: string
}

const group = 'mongo-writers'
const parameters = ['stream', 'replicas', 'waitMs', 'timeoutMs', 'volatile']
/** Released and abandoned entries ring no bell; they are looked for this often. */
const longestBlockMs = 500

/**
 * A queue in a Redis stream, shared by whoever reaches the server: key `writes`, consumer group `mongo-writers`, its
 * kin under `{writes}:`. Append, claim, acknowledge and bury are a script each, so what they check still holds when
 * they write. Nothing is ever trimmed; entries which somebody else removed are counted and told to `onLost`.
 *
 * An append and the WAIT for its replicas go out together on a connection of their own. Whether it is fsynced depends
 * on `appendfsync always`, which is asked for on every connection and each minute.
 * Entries in the form of the seed system (field `data`) are consumed; they count as one document and no bytes.
 */
export async function redisStream(options: RedisStreamOptions): Promise<WriteStream> {
  const target = parseRedisUrl(options.url, parameters)
  const {
    bounds,
    claimTimeoutMs = defaultClaimTimeoutMs,
    now,
    onLost = warnOfLoss,
    onParked = () => {},
    onVolatile = () => {},
    wanted,
  } = options
  const limits = { ...defaultBounds, ...bounds }
  const key = target.parameters['stream'] ?? 'writes'
  const wantedReplicas = wanted?.replicas ?? integerParameter(target, 'replicas', 0)
  const waitMs = integerParameter(target, 'waitMs', 1000)
  const timeoutMs = integerParameter(target, 'timeoutMs', 5000)
  const kin = (name: string): string => `{${key}}:${name}`
  const keys = [key, ...['state', 'takeovers', 'dead', 'dead:ids', 'slots', 'roster'].map(kin)]
  const consumers = new Set<string>()
  let runAtLastSlot = ''

  await using opened = new AsyncDisposableStack()
  const connect = async (name: string): Promise<RedisConnection> =>
    opened.use(await RedisConnection.open({ target, name: `ballast-${name}`, timeoutMs }))
  const main = await connect('stream')
  const appender = await connect('append')
  const refuseLess = (): void => {
    refuseVolatile(appender, target)
    if (wanted?.fsyncedLocal !== true || appender.facts.fsyncedLocal) return
    throw new NotAppliedError(`${target.label} does not sync appends to its disk, as is wanted: set appendfsync always`)
  }
  refuseLess()
  if (!appender.facts.survivesRestart) onVolatile(appender.facts.caveat ?? '')
  const doorbell = opened.use(new RedisDoorbell({ target, key, timeoutMs }))
  const createGroup = async (): Promise<void> => {
    await main.send(['XGROUP', 'CREATE', key, group, '0', 'MKSTREAM']).catch((error: unknown) => {
      if (!(error instanceof Error && error.message.includes('BUSYGROUP'))) throw error
    })
  }
  await createGroup()

  const common = (): RedisArgument[] => [now === undefined ? '' : now(), kin('index:'), group]
  const run = (connection: RedisConnection, script: Script, ...args: readonly RedisArgument[]): Promise<RedisReply> =>
    runScript(connection, script, keys, [...common(), ...args])

  const append = async (entries: readonly Entry[]): Promise<readonly AppendOutcome[]> => {
    const { maxEntries, maxBytes, maxOldestAgeMs, maxEntryBytes } = limits
    refuseLess()
    const { fsyncedLocal, survivesRestart } = appender.facts
    const sent = entries.filter(({ body }) => body.byteLength <= maxEntryBytes)
    const args = sent.flatMap(({ documents, firstId = '', body }) => [
      documents,
      firstId,
      asBuffer(body),
      checksum(body),
    ])
    // In full: a digest that the server does not know would be repeated behind the WAIT.
    const script = ['EVAL', appendScript.source, keys.length, ...keys, ...common()]
    const appending = appender.send([...script, maxEntries, maxBytes, maxOldestAgeMs, ...args])
    // In the same turn, so that nothing can come between it and the append.
    const confirmed = wantedReplicas === 0 ? undefined : confirmations()
    confirmed?.catch(() => {})
    const refusals = asList(await appending).map(asText)
    const replicas = refusals.includes('') && confirmed !== undefined ? await confirmed : 0
    const durability: Durability = { fsyncedLocal, replicas, ...(!survivesRestart && { volatile: true }) }
    let next = 0
    return entries.map(({ body }) => {
      if (body.byteLength > maxEntryBytes) return { outcome: 'too-large', maxBytes: maxEntryBytes }
      const bound = refusals[next++]
      if (bound === 'entries' || bound === 'bytes' || bound === 'age') return { outcome: 'full', bound }
      return { outcome: 'appended', durability }
    })
  }
  /** Fewer than wanted after the time is an answer: the entries are appended, less safely than wished. */
  const confirmations = async (): Promise<number> => {
    try {
      return asNumber(await appender.send(['WAIT', wantedReplicas, waitMs], waitMs + timeoutMs))
    } catch (cause) {
      throw new OutcomeUnknownError(`${target.label} was lost between an append and its replicas' answer`, { cause })
    }
  }

  const claimOnce = async (consumer: string, request: ClaimRequest) => {
    const { maxEntries, maxBytes } = request
    const once = () => run(main, claimScript, consumer, maxEntries, maxBytes, claimTimeoutMs)
    const reply = await once().catch(async (error: unknown) => {
      // The data of the server were deleted; what comes from now on is consumed.
      if (!(error instanceof Error && error.message.includes('NOGROUP'))) throw error
      await createGroup()
      return once()
    })
    const [taken, lost, last] = asList(reply)
    if (asNumber(lost) > 0) onLost(asNumber(lost))
    return { claims: await decodeClaims(consumer, asList(taken)), last: asText(last) }
  }
  const decodeClaims = async (owner: string, taken: readonly RedisReply[]): Promise<readonly Claimed[]> => {
    const claims: Claimed[] = []
    const later: Omit<Claimed, 'documents' | 'body'>[] = []
    for (const item of taken) {
      const [id, delivery, takeovers, fields] = asList(item)
      const entry = asText(id)
      const appendedAtMs = Number.parseInt(entry, 10)
      const claim = { entry, owner, delivery: asNumber(delivery), takeovers: asNumber(takeovers), appendedAtMs }
      try {
        claims.push({ ...claim, ...decodeEntry(entry, fields) })
      } catch (error) {
        if (!(error instanceof LaterFormatError)) throw error
        later.push(claim)
      }
    }
    if (later.length === 0) return claims
    await settle('park', later, (claim) => ({ claim, letters: [] }))
    onParked(later.length)
    return claims
  }

  const settle = async <T>(
    action: 'acknowledge' | 'bury' | 'release' | 'park',
    items: readonly T[],
    read: (item: T) => {
      readonly claim: Pick<Claimed, 'entry' | 'owner' | 'delivery'>
      readonly letters: Burial['dead']
    },
  ): Promise<readonly SettleOutcome[]> => {
    if (items.length === 0) return []
    const args = items.flatMap((item) => {
      const { claim, letters } = read(item)
      const parts = letters.flatMap(({ id, reason, body }) => [id, reason, asBuffer(body)])
      return [claim.entry, claim.owner, claim.delivery, letters.length, ...parts]
    })
    const reply = await run(main, settleScript, action, ...args)
    return asList(reply).map((settled) => (settled === 1 ? 'settled' : 'not-owner'))
  }

  const letters = async (ids: readonly string[]): Promise<readonly (BuriedDocument | undefined)[]> => {
    if (ids.length === 0) return []
    const stored = asList(await main.send(['HMGET', kin('dead'), ...ids]))
    return ids.map((id, index) => (stored[index] === null ? undefined : decodeLetter(id, asBytes(stored[index]))))
  }

  const resources = opened.move()
  const close = async (): Promise<void> => {
    if (consumers.size > 0) await run(main, forgetScript, ...consumers).catch(() => {})
    await resources.disposeAsync()
  }
  return {
    append,
    async claim(consumer, request) {
      consumers.add(consumer)
      const deadline = performance.now() + request.waitMs
      for (;;) {
        if (request.signal?.aborted === true) return []
        const { claims, last } = await claimOnce(consumer, request)
        const leftMs = deadline - performance.now()
        if (claims.length > 0 || leftMs <= 0) return claims
        await doorbell.wait(last, Math.min(leftMs, longestBlockMs), request.signal)
      }
    },
    acknowledge: (claims) => settle('acknowledge', claims, (claim) => ({ claim, letters: [] })),
    bury: (burials) => settle('bury', burials, ({ claimed, dead }) => ({ claim: claimed, letters: dead })),
    release: (claims) => settle('release', claims, (claim) => ({ claim, letters: [] })),
    async backlog() {
      const [length, age, deadLetters, state, parkedEntries] = asList(await run(main, backlogScript))
      const counts = asRecord(state)
      const count = (name: string): string => counts.get(name)?.toString() ?? '0'
      const entries = asNumber(length)
      return {
        entries,
        // Entries which others wrote hold a document each.
        documents: Number(count('documents')) + Math.max(0, entries - Number(count('entries'))),
        bytes: Number(count('bytes')),
        oldestAgeMs: asNumber(age),
        parkedEntries: asNumber(parkedEntries),
        deadLetters: asNumber(deadLetters),
        appendedDocuments: BigInt(count('appendedDocuments')),
        settledDocuments: BigInt(count('settledDocuments')),
        settledBytes: BigInt(count('settledBytes')),
      }
    },
    async deadLetters({ after, limit }) {
      const from = after === undefined ? '-' : `(${after}`
      const page = asList(await main.send(['ZRANGEBYLEX', kin('dead:ids'), from, '+', 'LIMIT', 0, limit]))
      return (await letters(page.map(asText))).filter((letter) => letter !== undefined)
    },
    deadLetter: async (id) => (await letters([id]))[0],
    async replay(ids) {
      const { maxEntries, maxBytes, maxOldestAgeMs } = limits
      const args = ids.flatMap((id) => [id, firstIdOf(id) ?? ''])
      return asList(await run(main, replayScript, maxEntries, maxBytes, maxOldestAgeMs, ...args)).map((reply) => {
        const outcome = asText(reply)
        if (outcome === 'entries' || outcome === 'bytes' || outcome === 'age')
          return { outcome: 'full', bound: outcome }
        return { outcome: outcome === 'replayed' ? 'replayed' : 'unknown' }
      })
    },
    async locate(id) {
      const fields = await run(main, locateScript, id.slice(8, 18), Number.parseInt(id.slice(18), 16))
      return fields === null ? undefined : decodeEntry(id, fields).body
    },
    async queued({ after = '', limit }) {
      const from = after === '' ? '-' : `(${after}`
      return asList(await main.send(['XRANGE', key, from, '+', 'COUNT', limit])).map((item) => {
        const [id, fields] = asList(item)
        return { entry: asText(id), body: bodyForAudit(asText(id), fields) }
      })
    },
    async reserveSlot({ budget, intervalMs, sinceLastMs }) {
      const { runId } = main.facts
      const since = Math.min(sinceLastMs, Number.MAX_SAFE_INTEGER)
      const waitForMs = asNumber(await run(main, slotScript, budget, intervalMs, since, runId, runAtLastSlot))
      runAtLastSlot = runId
      return waitForMs
    },
    ...redisRoster((script, ...args) => run(main, script, ...args), claimTimeoutMs),
    async check() {
      refuseVolatile(appender, target)
      // Nothing is added, yet a server that refuses writes (no memory, no disk, too few replicas, no primary any more) refuses this.
      await Promise.all([main, appender].map((connection) => connection.send(['HINCRBY', kin('state'), 'bytes', 0])))
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function warnOfLoss(entries: number): void {
  process.emitWarning(
    `${entries} entries of the write-behind stream were removed by another program before they were acknowledged`,
  )
}
