import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { startFaultProxy } from '@ballast/fault-proxy'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'
import { RedisConnection } from '../redis/connection.ts'
import { parseRedisUrl } from '../redis/url.ts'
import type { Entry, WriteStream } from './port.ts'
import { redisStream } from './redis.ts'

const entry = (text: string): Entry => ({ documents: 1, body: Buffer.from(text) })
const request = { maxEntries: 100, maxBytes: 1_000_000, waitMs: 0 }
const queued = async (stream: WriteStream): Promise<string[]> =>
  (await stream.queued({ limit: 100_000 })).map(({ body }) => Buffer.from(body).toString())
const admin = (url: string): Promise<RedisConnection> =>
  RedisConnection.open({ target: parseRedisUrl(url, []), name: 'test-admin', mayForget: true })
const ready = (stream: WriteStream): Promise<unknown> =>
  waitUntil(
    () =>
      stream.check().then(
        () => true,
        () => false,
      ),
    { timeoutMs: 20_000, what: 'the connections to be back' },
  )
const appends = async (stream: WriteStream, text: string): Promise<void> => {
  await ready(stream)
  expect(await stream.append([entry(text)])).toMatchObject([{ outcome: 'appended' }])
}

await describeOnBackend('redis', () => {
  test.each(['process', 'disk'] as const)(
    'kill -9 of a server with durability %s: every acknowledged entry is there, once',
    async (durability) => {
      await using server = await startBackend('redis', { durability })
      await using stream = await redisStream({ url: `${server.url}?timeoutMs=2000` })
      const acknowledged: string[] = []
      let next = 0
      for (let round = 0; round < 2; round++) {
        const stopping = new AbortController()
        const client = async (): Promise<void> => {
          while (!stopping.signal.aborted) {
            const text = `entry ${++next}`
            const outcomes = await stream.append([entry(text)]).catch(() => [])
            for (const outcome of outcomes) {
              if (outcome.outcome !== 'appended') throw new Error(`refused: ${outcome.outcome}`)
              expect(outcome.durability).toEqual({ fsyncedLocal: durability === 'disk', replicas: 0 })
              acknowledged.push(text)
            }
            if (outcomes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
          }
        }
        const clients = Array.from({ length: 4 }, client)
        const wanted = acknowledged.length + 200
        await waitUntil(() => acknowledged.length >= wanted, { timeoutMs: 20_000 })
        await server.kill()
        stopping.abort()
        await Promise.all(clients)
        await server.restart()
        await appends(stream, `after round ${round}`)
      }
      const found = await queued(stream)
      expect(new Set(found).size).toBe(found.length)
      expect(acknowledged.filter((text) => !found.includes(text))).toEqual([])
    },
    60_000,
  )

  test('an append whose answer is lost is unknown, is never sent again, and the connection comes back by itself', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    await using proxy = await startFaultProxy({ target: server.url })
    await using stream = await redisStream({ url: `${proxy.url}?timeoutMs=1000` })
    await using direct = await redisStream({ url: server.url })
    proxy.set({ drop: 'answers' })
    const cut = stream.append([entry('cut')])
    await waitUntil(async () => (await queued(direct)).length === 1)
    proxy.cut('reset')
    await expect(cut).rejects.toBeInstanceOf(OutcomeUnknownError)
    proxy.heal()
    await appends(stream, 'next')
    proxy.set({ drop: 'answers' })
    await expect(stream.append([entry('half open')])).rejects.toThrow(/^Redis at .* did not answer EVAL within 1000 ms/)
    await expect(stream.append([entry('refused')])).rejects.toBeInstanceOf(NotAppliedError)
    proxy.heal()
    await appends(stream, 'last')
    expect(await queued(direct)).toEqual(['cut', 'next', 'half open', 'last'])
  }, 180_000)

  test('a server that is stopped in its tracks is a time-out that names it; when it goes on, so does the queue', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    await using stream = await redisStream({ url: `${server.url}?timeoutMs=300` })
    await stream.append([entry('before')])
    await server.pause()
    const address = new URL(server.url).host
    await expect(stream.append([entry('during')])).rejects.toThrow(`Redis at ${address} did not answer`)
    await expect(stream.check()).rejects.toThrow(address)
    await expect(stream.claim('one', { ...request, waitMs: 100 })).rejects.toThrow(address)
    await server.resume()
    await appends(stream, 'after')
    await ready(stream)
    const texts = await queued(stream)
    expect(texts.filter((text) => text !== 'during')).toEqual(['before', 'after'])
    expect((await stream.claim('one', request)).length).toBe(texts.length)
  }, 180_000)

  test('a server that is full refuses definitely; one that starts to evict is not ready', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    await using stream = await redisStream({ url: server.url })
    await using settings = await admin(server.url)
    await stream.append([entry('kept')])
    await settings.send(['CONFIG', 'SET', 'maxmemory', 1])
    const refused = stream.append([entry('refused')])
    await expect(refused).rejects.toBeInstanceOf(NotAppliedError)
    await expect(refused).rejects.toThrow('OOM')
    await expect(stream.check()).rejects.toThrow('OOM')
    // What empties the queue goes on, or it would be full for ever.
    expect(await stream.occupy('one')).toBe(true)
    expect(await stream.roster.attend('one', [0])).toHaveLength(1)
    const claims = await stream.claim('one', request)
    expect(await stream.reserveSlot({ budget: 'commands', intervalMs: 10, sinceLastMs: Infinity })).toBe(0)
    const dead = [{ id: 'x', reason: 'conflict', body: Buffer.from('x') }]
    const bury = claims.map((claimed) => ({ claimed, dead }))
    expect(await stream.bury(bury)).toEqual(['settled'])
    await settings.send(['CONFIG', 'SET', 'maxmemory', 0])
    await stream.append([entry('kept')])
    await settings.send(['CONFIG', 'SET', 'maxmemory', 1])
    await settings.send(['CONFIG', 'SET', 'maxmemory', 0, 'maxmemory-policy', 'allkeys-lru'])
    await settings.send(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    // Each of its connections finds out when it is back.
    await waitUntil(() =>
      stream.append([entry('refused')]).then(
        () => false,
        ({ message }: Error) => /noeviction/.test(message),
      ),
    )
    await expect(stream.append([entry('refused')])).rejects.toThrow(/maxmemory-policy is allkeys-lru.* noeviction/)
    await settings.send(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'])
    await settings.send(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    // The connection that was killed may not be back yet.
    expect(await waitUntil(() => queued(stream))).toEqual(['kept'])
  }, 180_000)

  test('replicas are waited for and told; one that is late costs the level, not the entry; a replica is refused', async () => {
    await using primary = await startBackend('redis', { durability: 'process' })
    await using replica = await startBackend('redis', { durability: 'process', replicaOf: primary.url })
    await using stream = await redisStream({ url: `${primary.url}?replicas=1&waitMs=500` })
    const levels: number[] = []
    const append = async (text: string): Promise<void> => {
      const [outcome] = await stream.append([entry(text)])
      if (outcome?.outcome === 'appended') levels.push(outcome.durability.replicas)
    }
    await waitUntil(async () => {
      await append('early')
      return levels.at(-1) === 1
    })
    await replica.pause()
    await append('late')
    expect(levels.at(-1)).toBe(0)
    await replica.resume()
    expect((await queued(stream)).filter((text) => text === 'late')).toHaveLength(1)
    await expect(redisStream({ url: replica.url })).rejects.toThrow(/cannot be used: it is a read-only replica/)
  }, 180_000)

  test('after a restart of the server the next slot is a second away', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    await using stream = await redisStream({ url: server.url })
    const slot = (): Promise<number> => stream.reserveSlot({ budget: 'b', intervalMs: 10, sinceLastMs: Infinity })
    expect(await slot()).toBe(0)
    await server.kill()
    await server.restart()
    await ready(stream)
    expect(await slot()).toBeGreaterThan(900)
  }, 180_000)

  test('what other programs remove is told; what a newer release wrote is left to it', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    const losses: number[] = []
    const parked: number[] = []
    await using stream = await redisStream({
      url: server.url,
      onLost: (entries) => void losses.push(entries),
      onParked: (entries) => void parked.push(entries),
      claimTimeoutMs: 500,
    })
    await using other = await admin(server.url)
    await stream.append(['a', 'b', 'c', 'd'].map(entry))
    const [first] = await stream.claim('one', { ...request, maxEntries: 1 })
    await other.send(['XDEL', 'writes', first?.entry ?? ''])
    await other.send(['XTRIM', 'writes', 'MAXLEN', 2])
    const rest = await stream.claim('one', request)
    expect(rest.map(({ body }) => Buffer.from(body).toString())).toEqual(['c', 'd'])
    expect(losses).toEqual([2])
    expect(await stream.acknowledge(rest)).toEqual(['settled', 'settled'])
    expect(await stream.backlog()).toMatchObject({ entries: 0, documents: 0, bytes: 0 })
    await other.send(['XADD', 'writes', '*', 'v', '2', 'n', '1', 'f', '', 'b', 'of the future'])
    await stream.append([entry('of today')])
    // The others go on; it waits for a claim time-out, is tried again, and no life of a consumer is blamed for it.
    const beside = await stream.claim('one', request)
    expect(beside.map(({ body }) => Buffer.from(body).toString())).toEqual(['of today'])
    await stream.acknowledge(beside)
    expect(await stream.claim('one', request)).toEqual([])
    expect(parked).toEqual([1])
    expect(await stream.backlog()).toMatchObject({ entries: 1, parkedEntries: 1 })
    await waitUntil(async () => (await stream.claim('two', request)).length === 0 && parked.length > 1)
    expect(await other.send(['HGETALL', '{writes}:takeovers'])).toEqual([])
    expect(await other.send(['XLEN', 'writes'])).toBe(1)
    expect(String(await other.send(['XPENDING', 'writes', 'mongo-writers', '-', '+', 1, 'one']))).toBe('')
  }, 180_000)

  test('an entry of another program is handed out to be buried, whatever its fields, and counts stay right', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    await using other = await admin(server.url)
    for (const fields of [
      ['v', 'hello', 'n', '1', 'b', 'no number for a version'],
      ['v', '0', 'n', '1', 'b', 'a version below the first'],
      ['v', '1', 'n', 'abc', 'f', '', 'b', 'no number of documents'],
      ['v', '1', 'n', '1', 'b', 'no first id'],
    ]) {
      const name = String(fields.at(-1)).replaceAll(' ', '-')
      await using stream = await redisStream({ url: `${server.url}?stream=${name}` })
      await other.send(['XADD', name, '*', ...fields])
      await stream.append([entry('ours')])
      expect(await stream.queued({ limit: 10 })).toHaveLength(2)
      const [foreign, ours] = await stream.claim('one', request)
      if (foreign === undefined || ours === undefined) throw new Error(`${name}: not handed out`)
      const dead = [{ id: foreign.entry, reason: 'r', body: foreign.body }]
      expect(await stream.bury([{ claimed: foreign, dead }])).toEqual(['settled'])
      expect(await stream.backlog()).toMatchObject({ entries: 1, documents: 1, bytes: 4, deadLetters: 1 })
      expect(await stream.acknowledge([ours])).toEqual(['settled'])
      expect(await stream.backlog()).toMatchObject({ appendedDocuments: 2n, settledDocuments: 2n, documents: 0 })
    }
  }, 60_000)

  test('an entry of a newer release stops nobody: it has no say in the age bound, and audits pass it', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    const clock = { nowMs: 1_800_000_000_000 }
    const options = { url: server.url, now: () => clock.nowMs, bounds: { maxOldestAgeMs: 60_000 } }
    await using stream = await redisStream({ ...options, claimTimeoutMs: 1_000_000 })
    await using other = await admin(server.url)
    await other.send(['XADD', 'writes', `${clock.nowMs}-1`, 'v', '999', 'n', '1', 'f', '', 'b', 'of the future'])
    clock.nowMs += 120_000
    // Nobody has looked at it yet, then it is parked.
    for (const text of ['one', 'two']) {
      expect(await stream.append([entry(text)])).toMatchObject([{ outcome: 'appended' }])
      expect(await stream.claim('me', request)).not.toEqual([])
    }
    expect((await queued(stream))[0]).toContain('has format 999')
    // What is held and what is not handed out behind it are as old as they are.
    clock.nowMs += 60_001
    expect((await stream.backlog()).oldestAgeMs).toBe(60_001)
    expect(await stream.append([entry('three')])).toEqual([{ outcome: 'full', bound: 'age' }])
    await stream.acknowledge(await stream.claim('me', request))
    expect(await stream.append([entry('three')])).toMatchObject([{ outcome: 'appended' }])
    clock.nowMs += 60_001
    expect(await stream.append([entry('four')])).toEqual([{ outcome: 'full', bound: 'age' }])
  }, 60_000)

  test('entries of the release before carry no checksum and are read; one that was changed on its way is told', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    await using stream = await redisStream({ url: server.url })
    await using other = await admin(server.url)
    await other.send(['XADD', 'writes', '*', 'v', '1', 'n', '1', 'f', '', 'b', 'old'])
    await other.send(['XADD', 'writes', '*', 'v', '1', 'n', '1', 'f', '', 'b', 'changed', 'c', '00000000'])
    const [old, changed] = await stream.claim('one', request)
    expect([Buffer.from(old?.body ?? []).toString(), old?.damaged]).toEqual(['old', undefined])
    expect(changed?.damaged).toContain('checksum')
  }, 180_000)

  test('appends that are synced are wanted: refused at the start without them, and when they are lost later', async () => {
    await using server = await startBackend('redis', { durability: 'none' })
    const wanted = { fsyncedLocal: true }
    await expect(redisStream({ url: server.url, wanted })).rejects.toThrow(/appendfsync always/)
    await using settings = await admin(server.url)
    await settings.send(['CONFIG', 'SET', 'appendonly', 'yes', 'appendfsync', 'always'])
    await using stream = await redisStream({ url: server.url, wanted })
    await appends(stream, 'synced')
    await settings.send(['CONFIG', 'SET', 'appendfsync', 'everysec'])
    // Each connection finds out when it is back.
    await settings.send(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await ready(stream)
    await expect(stream.append([entry('unsynced')])).rejects.toBeInstanceOf(NotAppliedError)
  }, 180_000)

  test('a server without an append-only file is refused, at the start and later, unless its loss is accepted: then told', async () => {
    await using server = await startBackend('redis', { durability: 'none' })
    await expect(redisStream({ url: server.url })).rejects.toThrow(
      /^Redis at \S+ cannot be used: Redis writes no append-only file: .*set appendonly yes.* volatile=yes in the URL$/,
    )
    await expect(redisStream({ url: `${server.url}?volatile=maybe` })).rejects.toThrow('has volatile=maybe')
    const reasons: string[] = []
    const onVolatile = (reason: string): void => void reasons.push(reason)
    await using accepted = await redisStream({ url: `${server.url}?volatile=yes`, onVolatile })
    const volatile = { fsyncedLocal: false, replicas: 0, volatile: true }
    expect(await accepted.append([entry('a')])).toEqual([{ outcome: 'appended', durability: volatile }])
    expect(reasons).toEqual([expect.stringContaining('its restart takes answered writes with it')])
    await using settings = await admin(server.url)
    await settings.send(['CONFIG', 'SET', 'appendonly', 'yes'])
    await using stream = await redisStream({ url: server.url, onVolatile })
    const kept = { fsyncedLocal: false, replicas: 0 }
    expect(await stream.append([entry('b')])).toEqual([{ outcome: 'appended', durability: kept }])
    await settings.send(['CONFIG', 'SET', 'appendonly', 'no'])
    await settings.send(['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'])
    await waitUntil(() =>
      stream.check().then(
        () => false,
        (error: Error) => /no append-only file/.test(error.message),
      ),
    )
    await expect(stream.append([entry('c')])).rejects.toBeInstanceOf(NotAppliedError)
    expect(reasons).toHaveLength(1)
  }, 60_000)

  test('a hundred and twenty thousand unread entries are all kept', async () => {
    await using server = await startBackend('redis', { durability: 'process' })
    await using stream = await redisStream({ url: server.url, bounds: { maxEntries: 200_000 } })
    for (let batch = 0; batch < 60; batch++) await stream.append(Array.from({ length: 2000 }, () => entry('x')))
    expect(await stream.backlog()).toMatchObject({ entries: 120_000, documents: 120_000 })
  }, 180_000)

  test('over TLS with an authority of its own; a plain connection to it, a wrong database or password say so', async () => {
    await using server = await startBackend('redis', { durability: 'process', tls: true })
    await using folder = await temporaryFolder()
    const ca = join(folder.path, 'ca.pem')
    await writeFile(ca, server.ca ?? '')
    const url = `${server.url.replace('127.0.0.1', 'localhost')}?ca=${ca}&timeoutMs=3000`
    {
      await using stream = await redisStream({ url })
      expect(await stream.append([entry('encrypted')])).toMatchObject([{ outcome: 'appended' }])
    }
    const wrong = (change: (url: string) => string) => redisStream({ url: change(url) })
    await expect(wrong((text) => text.replace('?', '/99?'))).rejects.toThrow(/it has no database 99 .*out of range/)
    await expect(wrong((text) => text.replace(/ca=[^&]*&/, ''))).rejects.toThrow(/certificate/)
    await expect(wrong((text) => text.replace('rediss:', 'redis:').replace(/ca=[^&]*&/, ''))).rejects.toThrow(
      /^Redis at localhost/,
    )
    await expect(wrong((text) => text.replace('//', '//me:my-secret@'))).rejects.toThrow(
      /the user name or the password is wrong/,
    )
    await expect(wrong((text) => text.replace('//', '//me:my-secret@'))).rejects.toThrow(/^(?!.*my-secret)/)
    await expect(wrong((text) => `${text}&maxlen=5`)).rejects.toThrow('a parameter "maxlen"')
  }, 180_000)
})
