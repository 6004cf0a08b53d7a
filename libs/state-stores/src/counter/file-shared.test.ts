import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { describeCounterContract } from './contract.ts'
import { testTwoProcesses } from './contract/two-processes.ts'
import { sharedFileCounterStore } from './file.ts'
import { checkHistory, type Addition } from './history.ts'
import { openCounterStore } from './open.ts'

async function scratch(): Promise<string> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return join(folder.path, 'data', 'counter.json')
}

describeCounterContract(
  'file, shared',
  async (limits) => {
    let nowMs = 1_700_000_000_000
    const path = await scratch()
    const open = () => sharedFileCounterStore({ ...limits, path, now: () => nowMs })
    const store = await open()
    const pass = async (durationMs: number): Promise<void> => void (nowMs += durationMs)
    return { store, nowMs: () => nowMs, pass, reopen: async () => (await store.close(), open()) }
  },
  { atomicity: 'batch', durable: true, clock: 'store' },
)

testTwoProcesses(async () => {
  const path = await scratch()
  return () => sharedFileCounterStore({ path })
})

test('a store that had outgrown one file is shared as one file again', async () => {
  const path = await scratch()
  const alone = await openCounterStore(`file:${path}`, { logAtBytes: 0 })
  for (let round = 0; round < 3; round++) await alone.commit([{ kind: 'add', name: 'n/a', by: 1n }])
  await alone.close()
  await using shared = await openCounterStore(`file:${path}?mode=shared`)
  await expect(shared.commit([{ kind: 'add', name: 'n/a', by: 1n }])).resolves.toMatchObject([{ value: 4n }])
})

test('one that is used by a process alone is refused, and so is a mode that is none', async () => {
  const path = await scratch()
  await using alone = await openCounterStore(`file:${path}`)
  await alone.check()
  const shared = openCounterStore(`file:${path}?mode=shared`, { lockTimeoutMs: 50 })
  await expect(shared).rejects.toThrow(/is in use by process \d+ on .*--store$/)
  await expect(openCounterStore(`file:${path}?mode=both`)).rejects.toThrow(/knows no "mode=both"/)
  await expect(openCounterStore(`file:${path}?mod=shared`)).rejects.toThrow(/knows no "mod"/)
})

test('tells of turns that others had between, of the lock and of the syncs', async () => {
  const path = await scratch()
  const seen = { claimsLost: 0, held: 0, waited: 0, syncs: 0 }
  await using ours = await sharedFileCounterStore({
    path,
    observer: {
      claimLost: () => void (seen.claimsLost += 1),
      lockHeld: () => void (seen.held += 1),
      lockWaited: () => void (seen.waited += 1),
      committed: ({ syncMs = 0 }) => void (seen.syncs += syncMs > 0 ? 1 : 0),
    },
  })
  await using theirs = await sharedFileCounterStore({ path })
  for (const store of [ours, ours, theirs, ours, theirs, ours])
    await store.commit([{ kind: 'add', name: 'n/a', by: 1n }])
  // Once more than the commits: at the start.
  expect(seen).toEqual({ claimsLost: 2, held: 6, waited: 6, syncs: 4 })
})

interface Line {
  readonly key: string
  readonly startedMs?: number
  readonly endedMs?: number
  readonly value?: string
}

function additionsOf(lines: readonly string[]): Addition[] {
  const additions = new Map<string, Addition>()
  for (const line of lines) {
    if (!line.startsWith('{') || !line.endsWith('}')) continue
    const { key, startedMs, endedMs, value } = JSON.parse(line) as Line
    const known = additions.get(key)
    if (startedMs !== undefined) additions.set(key, { key, by: 1n, startedMs })
    else if (known !== undefined && endedMs !== undefined && value !== undefined) {
      additions.set(key, { ...known, endedMs, value: BigInt(value) })
    }
  }
  return [...additions.values()]
}

const kills = Number(process.env['KILL_ROUNDS'] ?? 6)

test(
  'processes that are stopped, continued and killed lose nothing and double nothing',
  { timeout: 120_000 + kills * 5_000 },
  async () => {
    const path = await scratch()
    await (await openCounterStore(`file:${path}?mode=shared`)).close()
    const fixture = fileURLToPath(new URL('fixtures/shared-adder.ts', import.meta.url))
    const outputs: (readonly string[])[] = []
    const start = async (name: string) => {
      const adder = startProcess({ command: process.execPath, args: [fixture, path, name] })
      outputs.push(adder.stdout)
      await adder.waitForLine(/"value"/)
      return adder
    }
    let steady = await start('steady')
    for (let round = 0; round < kills; round++) {
      const victim = await start(`victim-${round}`)
      process.kill(steady.pid, 'SIGSTOP')
      await delay(5 + ((round * 7) % 20))
      process.kill(steady.pid, 'SIGCONT')
      const before = victim.stdout.length
      await waitUntil(() => victim.stdout.length > before + 2, { what: 'the victim went on' })
      victim.kill('SIGKILL')
      await victim.exit
      if (round % 3 === 2) {
        steady.kill('SIGKILL')
        await steady.exit
        steady = await start(`steady-${round}`)
      }
    }
    steady.kill('SIGKILL')
    await steady.exit
    await using store = await openCounterStore(`file:${path}?mode=shared`)
    const [counter] = await store.read(['n/a'])
    const verdict = checkHistory({ initial: 0n, additions: outputs.flatMap(additionsOf), final: counter?.value ?? 0n })
    expect(verdict.violations).toEqual([])
    expect(verdict.acknowledged).toBeGreaterThan(kills * 2)
    expect(verdict.unknown).toBeLessThanOrEqual(2 * kills + 1)
  },
)
