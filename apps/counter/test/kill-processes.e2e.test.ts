import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { checkHistory } from '@ballast/state-stores/counter/history'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import { addUntilStopped, readUntilStopped, type Where } from './clients.ts'
import { startCounterOn, type CounterProcess } from './counter-process.ts'
import { workersOf } from './workers-of.ts'

/** How often a process is killed, and which of the tests below run: "workers", "redis", "postgres", "dynamodb". */
const asked = process.env['KILL_PROCESS_ROUNDS']
const modes = (process.env['KILL_MODES'] ?? 'workers,redis,postgres').split(',')
const roundsOf = (mode: string): number => Number(asked ?? (mode === 'workers' ? 12 : 2))
const timeoutOf = (mode: string): number => 90_000 + roundsOf(mode) * 15_000
const clients = 8

interface Killing {
  readonly where: Where
  /** Kills a process, at a moment that differs from round to round, and sees to it that another one takes its place. */
  readonly kill: (round: number) => Promise<void>
}

/** Counts while processes die, and checks all that was answered: distinct values, in real-time order, none missing. */
async function survive(rounds: number, { where, kill }: Killing): Promise<bigint> {
  const value = async (): Promise<number> => {
    const answer = await fetch(where() ?? '', { headers: { accept: 'text/plain' }, signal: AbortSignal.timeout(5_000) })
    if (!answer.ok) throw new Error(await answer.text())
    return Number(await answer.text())
  }
  const read = () => waitUntil(async () => ({ value: await value() }), { timeoutMs: 60_000, what: 'an answer' })
  const stop = new AbortController()
  const adding = Array.from({ length: clients }, () => addUntilStopped(where, stop.signal))
  const reading = readUntilStopped(where, stop.signal)
  for (let round = 0; round < rounds; round++) {
    const enough = (await read()).value + 10 + ((round * 37) % 60)
    await waitUntil(async () => (await read()).value > enough, { timeoutMs: 60_000, what: 'additions' })
    await kill(round)
  }
  stop.abort()
  const additions = (await Promise.all(adding)).flat()
  const readings = await reading
  const final = BigInt((await read()).value)
  expect(checkHistory({ initial: 0n, additions, readings, final })).toEqual({
    acknowledged: additions.length,
    unknown: 0,
    violations: [],
  })
  expect(additions.length).toBeGreaterThan(rounds * 10)
  return final - BigInt(additions.length)
}

describe.runIf(modes.includes('workers'))('--workers 2 on a file', () => {
  const rounds = roundsOf('workers')
  test(
    `workers and now and then their primary are killed, ${rounds} times in all`,
    { timeout: timeoutOf('workers') },
    async () => {
      await using folder = await temporaryFolder()
      const open = () => startCounterOn(`file:${join(folder.path, 'counter.json')}`, '--workers', '2')
      let running: CounterProcess | undefined = await open()
      const kill = async (round: number): Promise<void> => {
        const pid = running?.pid ?? 0
        if (round % 4 === 3) {
          const dying = running
          running = undefined
          dying?.kill('SIGKILL')
          await dying?.exit
          running = await open()
          return
        }
        const victim = workersOf(pid)[round % 2] ?? 0
        process.kill(victim, 'SIGKILL')
        await waitUntil(() => workersOf(pid).length === 2 && !workersOf(pid).includes(victim))
      }
      try {
        await expect(survive(rounds, { where: () => running?.url, kill })).resolves.toBe(0n)
      } finally {
        await running?.[Symbol.asyncDispose]()
      }
    },
  )
})

for (const kind of ['redis', 'postgres', 'dynamodb'] as const) {
  if (!modes.includes(kind)) continue
  const rounds = roundsOf(kind)
  await describeOnBackend(kind, () => {
    test(`two processes on one ${kind} are killed in turn, ${rounds} times`, { timeout: timeoutOf(kind) }, async () => {
      await using server = await startBackend(kind, { durability: 'disk' })
      const open = () => startCounterOn(server.url, '--store-timeout-ms', '3s')
      const running: (CounterProcess | undefined)[] = [await open(), await open()]
      let turn = 0
      const where: Where = () => (running[turn++ % 2] ?? running[turn % 2])?.url
      const kill = async (round: number): Promise<void> => {
        const dying = running[round % 2]
        running[round % 2] = undefined
        dying?.kill('SIGKILL')
        await dying?.exit
        running[round % 2] = await open()
      }
      try {
        await expect(survive(rounds, { where, kill })).resolves.toBe(0n)
      } finally {
        for (const each of running) await each?.[Symbol.asyncDispose]()
      }
    })
  })
}
