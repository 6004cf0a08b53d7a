import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, test } from 'vitest'
import type { Where } from './clients.ts'
import { startCounterOn, type CounterProcess } from './counter-process.ts'
import { survive } from './survive.ts'
import { workersOf } from './workers-of.ts'

/** How often a process is killed, and which of the tests below run: "workers", "redis", "postgres", "dynamodb". */
const asked = process.env['KILL_PROCESS_ROUNDS']
const modes = (process.env['KILL_MODES'] ?? 'workers,redis,postgres').split(',')
const roundsOf = (mode: string): number => Number(asked ?? (mode === 'workers' ? 5 : 2))
const timeoutOf = (mode: string): number => 90_000 + roundsOf(mode) * 15_000

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
