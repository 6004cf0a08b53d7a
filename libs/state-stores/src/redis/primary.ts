import { connect, isIP, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AbstractConnector, Redis } from 'ioredis'
import { messageOf } from '../message-of.ts'
import { greet, type Send } from './handshake.ts'
import { troubleOf } from './outcome.ts'
import { toReply } from './reply.ts'
import { hostName, type RedisHost, type RedisTarget } from './url.ts'

/** A server that cannot be asked within this time is not the primary for now. */
const longestProbeMs = 2_000

/** Which server is the primary is found out before each connection. */
export const isLookedUp = ({ hosts, sentinel }: RedisTarget): boolean => hosts.length > 1 || sentinel !== undefined

/**
 * How the driver gets its connections: to the one server there is, or to whichever is the primary at that moment.
 * `onFound` hears which it was.
 */
export function connectorOf(target: RedisTarget, timeoutMs: number, onFound: (host: RedisHost) => void) {
  return class extends AbstractConnector {
    constructor() {
      super(100)
    }

    async connect(): Promise<Socket> {
      this.connecting = true
      this.stream = await this.#open()
      return this.stream
    }

    async #open(): Promise<Socket> {
      const host = await findPrimary(target, timeoutMs).catch((error: unknown) => {
        this.firstError = error instanceof Error ? error : new Error(messageOf(error))
      })
      if (!this.connecting) throw new Error('Connection is closed.')
      // The driver gives up for good when it gets no stream. From one that is broken it takes the reason, and tries again.
      if (host === undefined) return new Socket().destroy()
      onFound(host)
      const stream = streamTo(host, target)
      stream.once('error', (error) => void (this.firstError = error))
      return stream
    }
  }
}

function streamTo({ host, port }: RedisHost, { tls }: RedisTarget): Socket {
  if (tls === undefined) return connect(port, host)
  return connectTls({ host, port, ...tls, ...(isIP(host) === 0 && { servername: host }) })
}

/**
 * The server to write to. Rejects with the end of a sentence when there is none, or when several say that it is they
 * and none is known to have followed the other: writing to the wrong one would be lost.
 */
export async function findPrimary(target: RedisTarget, timeoutMs: number): Promise<RedisHost> {
  const { hosts, sentinel } = target
  const [only] = hosts
  if (only !== undefined && !isLookedUp(target)) return only
  const probeMs = Math.min(timeoutMs, longestProbeMs)
  const probe = <T>(question: (host: RedisHost) => Promise<T>) => Promise.allSettled(hosts.map(question))
  const troubles = (answers: readonly PromiseSettledResult<unknown>[]): string =>
    answers
      .map(
        (answer, index) =>
          `${nameOf(hosts[index])}: ${answer.status === 'rejected' ? troubleOf(answer.reason) : 'a read-only replica'}`,
      )
      .join('; ')
  if (sentinel !== undefined) {
    const answers = await probe((host) => askSentinel(host, sentinel, target, probeMs))
    // One that was cut off names the primary of before, under an earlier epoch.
    const [latest] = answers.flatMap(fulfilled).toSorted((a, b) => b.epoch - a.epoch)
    if (latest === undefined) throw new Error(`no Sentinel names the primary "${sentinel}" (${troubles(answers)})`)
    return latest.primary
  }
  const answers = await probe((host) => askServer(host, target, probeMs))
  const primaries = answers.flatMap(fulfilled).filter(({ role }) => role === 'master')
  const [first] = primaries
  if (first === undefined) throw new Error(`none of them is a primary (${troubles(answers)})`)
  const last = primaries.find((one) => primaries.every((other) => other === one || other.history === one.before))
  if (last !== undefined) return last.host
  const names = primaries.map(({ host }) => hostName(host)).join(' and ')
  throw new Error(`${names} each say to be the primary: stop or demote (REPLICAOF) the one that is not`)
}

const nameOf = (host: RedisHost | undefined): string => (host === undefined ? 'a server' : hostName(host))

const fulfilled = <T>(result: PromiseSettledResult<T>): T[] => (result.status === 'fulfilled' ? [result.value] : [])

interface ServerAnswer {
  readonly host: RedisHost
  readonly role: string | undefined
  /** The name of its line of changes, and of the one it had followed until it was promoted. */
  readonly history: string | undefined
  readonly before: string | undefined
}

function askServer(host: RedisHost, target: RedisTarget, timeoutMs: number): Promise<ServerAnswer> {
  return ask(host, target, timeoutMs, async (send) => {
    await greet(send, target, 'ballast-lookup')
    const info = String(await send('INFO', 'replication'))
    const field = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]
    return { host, role: field('role'), history: field('master_replid'), before: field('master_replid2') }
  })
}

function askSentinel(host: RedisHost, name: string, target: RedisTarget, timeoutMs: number) {
  return ask(host, target, timeoutMs, async (send) => {
    const reply = await send('SENTINEL', 'MASTER', name)
    const words = Array.isArray(reply) ? reply.map(String) : []
    const field = (wanted: string): string => words[words.indexOf(wanted) + 1] ?? ''
    return { primary: { host: field('ip'), port: Number(field('port')) }, epoch: Number(field('config-epoch')) }
  })
}

/** One question on a connection of its own, which is then closed. */
async function ask<T>(
  { host, port }: RedisHost,
  { tls }: RedisTarget,
  timeoutMs: number,
  question: (send: Send) => Promise<T>,
): Promise<T> {
  const redis = new Redis({
    host,
    port,
    ...(tls && { tls: { ...tls, ...(isIP(host) === 0 && { servername: host }) } }),
    lazyConnect: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    disconnectTimeout: 100,
    retryStrategy: () => null,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    protocol: 2,
    disableClientInfo: true,
  })
  let trouble: unknown
  redis.on('error', (error: unknown) => void (trouble = error))
  try {
    await redis.connect()
    return await question(async (command, ...words) => toReply(await redis.callBuffer(String(command), ...words)))
  } catch (error) {
    throw trouble ?? error
  } finally {
    redis.disconnect()
  }
}
