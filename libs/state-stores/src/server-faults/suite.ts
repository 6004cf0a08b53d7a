import { setTimeout as delay } from 'node:timers/promises'
import { startBackend, type BackendKind, type RunningBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { waitUntil } from '@ballast/testing'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { serverCases } from './cases.ts'
import type { ServerCase, Subject } from './subject.ts'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 240_000 })

/** Longer than the time-outs of one call. */
const pauseMs = 1_000 * Number(process.env['PAUSE_SECONDS'] ?? 3)
const kills = Number(process.env['SERVER_KILLS'] ?? 2)
const clients = 4
const typed = /^(NotAppliedError|OutcomeUnknownError|StoreUnavailableError|Error)$/

/** How messages begin, with the address behind it. */
const nameOf: Readonly<Record<BackendKind, string>> = {
  redis: 'Redis at ',
  postgres: 'PostgreSQL at ',
  dynamodb: 'DynamoDB at ',
  cassandra: 'cassandra://',
  mongodb: 'mongodb://',
  s3: 's3\\+http://',
}

/** What every adapter that keeps something on a server owes its callers when that server stands still or dies. */
export async function describeServerFaults(kind: BackendKind): Promise<void> {
  await describeOnBackend(kind, () => {
    describe.each(serverCases.filter((each) => each.kind === kind))('$store', (each) => {
      faults(each)
    })
  })
}

function faults({ kind, durability, end, longestCallMs, open }: ServerCase): void {
  let server: RunningBackend
  let subject: Subject
  let numbers = 0
  beforeAll(async () => {
    server = await startBackend(kind, { durability })
    subject = await open(server.url)
  })
  afterAll(async () => {
    await subject[Symbol.asyncDispose]()
    await server.stop()
  })

  test('while the server stands still a call ends in time with an error that names it; then the store goes on', async () => {
    await subject.write(++numbers)
    const named = new RegExp(`${nameOf[kind]}.*${/127\.0\.0\.1:\d+/.exec(server.url)?.[0]}`)
    const during = ++numbers
    onTestFinished(() => server.resume())
    await server.pause()
    const pausedMs = performance.now()
    let slowestMs = 0
    const calls = await Promise.allSettled(
      [() => subject.write(during), () => subject.check(), () => subject.missing([1])].map(async (call) => {
        await call().finally(() => (slowestMs = Math.max(slowestMs, performance.now() - pausedMs)))
      }),
    )
    for (const call of calls) {
      expect(call).toMatchObject({
        status: 'rejected',
        reason: {
          name: expect.stringMatching(typed),
          message: expect.stringMatching(named),
          cause: expect.any(Error),
        },
      })
    }
    expect(slowestMs).toBeLessThan(longestCallMs)
    // A second caller, who comes when the trouble is known, does not wait longer.
    const againMs = performance.now()
    await expect(subject.check()).rejects.toMatchObject({
      message: expect.stringMatching(named),
      cause: expect.any(Error),
    })
    expect(performance.now() - againMs).toBeLessThan(longestCallMs)
    await delay(Math.max(0, pauseMs - (performance.now() - pausedMs)))
    await server.resume()
    await waitUntil(() => works(subject), { timeoutMs: 60_000, what: 'the store to go on, without being opened again' })
    await waitUntil(() => subject.write(during).then(() => true), { timeoutMs: 60_000 })
    await expect(subject.missing([1, during])).resolves.toEqual([])
  })

  const when = end === 'SIGKILL' ? 'while it is written to' : 'between writes'
  test(`the server is ended by ${end} ${kills} times ${when}: every acknowledged write is there`, async () => {
    const acknowledged: number[] = []
    const stop = new AbortController()
    let underWay = 0
    let pause: Promise<void> | undefined
    const client = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        await pause
        const n = ++numbers
        underWay++
        await subject.write(n).then(
          () => acknowledged.push(n),
          () => delay(20),
        )
        underWay--
      }
    }
    /** A server that is ended by SIGTERM because it forgets otherwise may also forget what it answers while it ends. */
    const endBetweenWrites = async (): Promise<void> => {
      const { promise, resolve } = Promise.withResolvers<void>()
      pause = promise
      await waitUntil(() => underWay === 0, { timeoutMs: 120_000, what: 'the writes that are under way' })
      await server.restart()
      pause = undefined
      resolve()
    }
    const writing = Array.from({ length: clients }, client)
    for (let kill = 0; kill < kills; kill++) {
      const before = acknowledged.length
      await waitUntil(() => acknowledged.length > before + 50, { timeoutMs: 120_000, what: '50 acknowledged writes' })
      if (end === 'SIGKILL') {
        await server.kill()
        await server.restart()
      } else await endBetweenWrites()
    }
    const before = acknowledged.length
    await waitUntil(() => acknowledged.length > before + 10, {
      timeoutMs: 120_000,
      what: 'writes after the last restart',
    })
    stop.abort()
    await Promise.all(writing)
    // A server that has just started may answer one call and be late with the next; reading again changes nothing.
    let missing: readonly number[] | undefined
    await waitUntil(async () => (missing = await subject.missing(acknowledged).catch(() => undefined)) !== undefined, {
      timeoutMs: 60_000,
      what: 'every write to be read again',
    })
    expect(missing).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(50 * kills)
  })
}

const works = (subject: Subject): Promise<boolean> =>
  subject.check().then(
    () => true,
    () => false,
  )
