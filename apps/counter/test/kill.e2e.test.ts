import { join } from 'node:path'
import { checkHistory } from '@ballast/state-stores/counter/history'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { addUntilStopped, readUntilStopped } from './clients.ts'
import { startCounter, startCounterOn, type CounterProcess } from './counter-process.ts'
import { survive } from './survive.ts'

/** Of each test; with those of `kill-processes.e2e.test.ts` 20 by default. */
const roundsOf = (byDefault: number): number => Number(process.env['KILL_ROUNDS'] ?? byDefault)
const rounds = roundsOf(6)
const clients = 12

test(
  `killed ${rounds} times while ${clients} clients count: nothing answered is lost, nothing is doubled`,
  { timeout: 60_000 + rounds * 15_000 },
  async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'counter.json')
    let running: CounterProcess | undefined
    const where = (): string | undefined => running?.url
    const stop = new AbortController()
    const adding = Array.from({ length: clients }, () => addUntilStopped(where, stop.signal))
    const reading = readUntilStopped(where, stop.signal)
    let answered = 0
    for (let round = 0; round < rounds; round++) {
      const counter = await startCounter(path)
      running = counter
      // At least one commit in each life, and a moment of death that differs from life to life.
      const enough = answered + 20 + ((round * 37) % 90)
      const value = async (): Promise<number> =>
        Number(await (await fetch(counter.url, { headers: { accept: 'text/plain' } })).text())
      answered = await waitUntil(async () => ((await value()) > enough ? value() : undefined), { timeoutMs: 30_000 })
      counter.kill('SIGKILL')
      await expect(counter.exit).resolves.toEqual({ code: null, signal: 'SIGKILL' })
      running = undefined
    }
    await using last = await startCounter(path)
    running = last
    stop.abort()
    const additions = (await Promise.all(adding)).flat()
    const readings = await reading
    const final = BigInt(await (await fetch(last.url, { headers: { accept: 'text/plain' } })).text())

    expect(checkHistory({ initial: 0n, additions, readings, final })).toEqual({
      acknowledged: additions.length,
      unknown: 0,
      violations: [],
    })
    expect(final).toBe(BigInt(additions.length))
    expect(additions.length).toBeGreaterThan(rounds * 20)
    expect(readings.length).toBeGreaterThan(rounds)
  },
)

const scrape = async (each: CounterProcess | undefined): Promise<string> => (await fetch(`${each?.url}/metrics`)).text()

describe('mode=shared', () => {
  const turns = roundsOf(5)
  const processes = 3
  test(
    `${processes} processes on one file are killed in turn, ${turns} times: each addition has a value of its own, in real-time order`,
    { timeout: 60_000 + turns * 15_000 },
    async () => {
      await using folder = await temporaryFolder()
      const open = () => startCounterOn(`file:${join(folder.path, 'counter.json')}?mode=shared`)
      const running: (CounterProcess | undefined)[] = await Promise.all(Array.from({ length: processes }, open))
      let turn = 0
      const where = (): string | undefined => {
        const alive = running.filter((each) => each !== undefined)
        return alive[turn++ % alive.length]?.url
      }
      const kill = async (round: number): Promise<void> => {
        const victim = round % processes
        const dying = running[victim]
        running[victim] = undefined
        dying?.kill('SIGKILL')
        await dying?.exit
        running[victim] = await open()
      }
      try {
        await expect(survive(turns, { where, kill })).resolves.toBe(0n)
        // Of all together: the one that was started last may not have been overtaken yet.
        const text = (await Promise.all(running.map(scrape))).join('')
        for (const name of ['lease_losses_total', 'lock_hold_seconds_count', 'commit_fsync_seconds_count']) {
          expect(text).toMatch(new RegExp(`^counter_${name}\\{[^}]*\\} [1-9]`, 'm'))
        }
      } finally {
        for (const each of running) await each?.[Symbol.asyncDispose]()
      }
    },
  )
})
