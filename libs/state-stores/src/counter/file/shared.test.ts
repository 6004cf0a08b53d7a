import { expect, test } from 'vitest'
import type { CounterOp } from '../port.ts'
import { FaultyFileSystem } from './faulty-file-system.ts'
import { Interleaving, type Process } from './interleaving.ts'
import { ensureFolder } from './replace-file.ts'
import { SharedEngine } from './shared-engine.ts'
import { decodeSnapshot } from './snapshot.ts'

const folder = '/data'
const path = `${folder}/counter.json`
const now = (): number => 1_700_000_000_000
const increment: CounterOp = { kind: 'add', name: 'n/a', by: 1n }

interface Explored {
  readonly states: number
  readonly schedules: number
}

interface World {
  readonly fs: FaultyFileSystem
  readonly run: Interleaving
  readonly acknowledged: bigint[]
}

async function world(processes: number, commits: number): Promise<World> {
  const fs = new FaultyFileSystem()
  await ensureFolder(fs, folder)
  const run = new Interleaving()
  const acknowledged: bigint[] = []
  const engines: [Process, SharedEngine][] = []
  for (let index = 0; index < processes; index++) {
    const process = run.add(`p${index}`)
    const options = { path, now, claimant: process.name }
    engines.push([process, await SharedEngine.open(run.fileSystemFor(process, fs), options, run.lockFor(process))])
    process.seen.length = 0
  }
  for (const [process, engine] of engines) {
    run.start(process, async () => {
      for (let commit = 0; commit < commits; commit++) {
        const [outcome] = await engine.apply([increment], 1)
        if (outcome?.ok !== true) throw new Error('refused')
        acknowledged.push(outcome.value)
      }
    })
  }
  return { fs, run, acknowledged }
}

const valueIn = async (fs: FaultyFileSystem): Promise<bigint> => {
  const bytes = await fs.read(path)
  return bytes === undefined ? 0n : (decodeSnapshot(Buffer.from(bytes)).state.get('n/a')?.value ?? 0n)
}

/** Whoever was told a value was told it alone, and it is there; also if every process dies now, and power fails. */
async function verify({ fs, acknowledged }: World, most: number): Promise<void> {
  expect(new Set(acknowledged).size, `answers ${acknowledged.join()}`).toBe(acknowledged.length)
  const highest = acknowledged.reduce((a, b) => (a > b ? a : b), 0n)
  const value = await valueIn(fs)
  expect(value).toBeGreaterThanOrEqual(highest)
  expect(value).toBeLessThanOrEqual(BigInt(most))
  expect(highest).toBeGreaterThanOrEqual(BigInt(acknowledged.length))
  // The first ones have lost the most.
  let survivors = 0
  for (const survivor of fs.afterCrash()) {
    expect(await valueIn(survivor), 'after a loss of power').toBeGreaterThanOrEqual(highest)
    if (++survivors === 8) break
  }
}

/** All that decides what can happen from here on. */
async function keyOf({ fs, run, acknowledged }: World): Promise<string> {
  const files = await Promise.all(
    (await fs.list(folder)).toSorted().map(async (name) => {
      const at = `${folder}/${name}`
      return [name, await fs.identity(at), Buffer.from((await fs.read(at)) ?? []).toString()]
    }),
  )
  const processes = run.processes.map(({ seen, waiting, done }) => [seen, waiting?.step, done])
  return JSON.stringify([files, processes, run.holder?.name, run.losses, acknowledged.map(String)])
}

interface Bounds {
  readonly processes: number
  readonly commits: number
  /** How often a lock may be lost while its holder goes on. */
  readonly maxLosses: number
  /** How often a process that could go on may be interrupted; wrong programs fail with two (Musuvathi & Qadeer, CHESS). */
  readonly maxPreemptions: number
}

/**
 * Every order in which the processes can make their steps, within the bounds. A state that was reached before is not
 * gone on from again. A process that is killed is one that makes no further step, so each state looked at is also one
 * after a kill.
 */
async function explore({ processes, commits, maxLosses, maxPreemptions }: Bounds): Promise<Explored> {
  const seen = new Set<string>()
  // They are all alike, so it is the first one's turn.
  const open: { schedule: number[]; preemptions: number }[] = [{ schedule: [0], preemptions: 0 }]
  let schedules = 0
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    schedules += 1
    const { schedule } = next
    let { preemptions } = next
    const found = await world(processes, commits)
    for (const choice of schedule) await stepOf(found, choice)
    for (;;) {
      const last = schedule.at(-1) ?? 0
      const key = `${preemptions} ${last} ${await keyOf(found)}`
      if (seen.has(key)) break
      seen.add(key)
      await verify(found, processes * commits)
      const enabled = found.run.enabled(maxLosses)
      const goesOn = enabled.includes(last)
      const first = goesOn ? last : enabled[0]
      if (first === undefined) {
        await verifyEnd(found, processes * commits)
        break
      }
      const cost = goesOn ? 1 : 0
      for (const other of preemptions + cost > maxPreemptions ? [] : enabled) {
        if (other !== first) open.push({ schedule: [...schedule, other], preemptions: preemptions + cost })
      }
      schedule.push(first)
      await stepOf(found, first)
    }
  }
  return { states: seen.size, schedules }
}

async function verifyEnd({ fs, acknowledged }: World, all: number): Promise<void> {
  expect(acknowledged, 'everybody was served').toHaveLength(all)
  expect(await valueIn(fs)).toBe(BigInt(all))
}

async function stepOf({ run }: World, index: number): Promise<void> {
  const process = run.processes[index]
  if (process !== undefined) await run.step(process)
}

// Without bounds: INTERLEAVINGS=all, half a minute; 58,730 states for two processes and one lost lock.
const maxPreemptions = process.env['INTERLEAVINGS'] === 'all' ? Infinity : 2

test.each([
  { processes: 2, commits: 2, maxLosses: 0, maxPreemptions },
  { processes: 2, commits: 1, maxLosses: 1, maxPreemptions },
  { processes: 3, commits: 1, maxLosses: 1, maxPreemptions: 1 },
])(
  'every interleaving: $processes processes, $commits commits each, $maxLosses locks lost',
  { timeout: 300_000 },
  async (bounds) => {
    const { states, schedules } = await explore(bounds)
    expect(states).toBeGreaterThan(schedules)
    expect(states).toBeGreaterThan(50)
  },
)

const lock = async () => async (): Promise<void> => {}

test('a reader who comes while another one looks is not shown what that one found before a change he may know of', async () => {
  const fs = new FaultyFileSystem()
  await ensureFolder(fs, folder)
  const looking = Promise.withResolvers<void>()
  const slow = Promise.withResolvers<void>()
  let holdUp = false
  const identity = async (of: string): Promise<string | undefined> => {
    const found = await fs.identity(of)
    if (holdUp) {
      holdUp = false
      looking.resolve()
      await slow.promise
    }
    return found
  }
  const reader = await SharedEngine.open(replaced(fs, { identity }), { path, now, claimant: 'reader' }, lock)
  const writer = await SharedEngine.open(fs, { path, now, claimant: 'writer' }, lock)
  const shown = async (): Promise<bigint | undefined> => (await reader.refresh(), reader.state.get('n/a')?.value)
  await writer.apply([increment], 1)
  expect(await shown()).toBe(1n)
  holdUp = true
  const first = shown()
  await looking.promise
  await writer.apply([increment], 1)
  const second = [shown(), shown()]
  slow.resolve()
  await first
  expect(await Promise.all(second)).toEqual([2n, 2n])
})

test('a commit of ours that comes while a reader reads does not make the file too old for him', async () => {
  const fs = new FaultyFileSystem()
  await ensureFolder(fs, folder)
  const reading = Promise.withResolvers<void>()
  const slow = Promise.withResolvers<void>()
  let holdUp = true
  const read = async (of: string): Promise<Uint8Array | undefined> => {
    const found = await fs.read(of)
    if (of === path && holdUp) {
      holdUp = false
      reading.resolve()
      await slow.promise
    }
    return found
  }
  const writer = await SharedEngine.open(fs, { path, now, claimant: 'writer' }, lock)
  holdUp = false
  const engine = await SharedEngine.open(replaced(fs, { read }), { path, now, claimant: 'both' }, lock)
  await writer.apply([increment], 1)
  holdUp = true
  const refreshed = engine.refresh()
  await reading.promise
  await engine.apply([increment], 1)
  slow.resolve()
  await refreshed
  expect(engine.state.get('n/a')?.value).toBe(2n)
})

function replaced(fs: FaultyFileSystem, by: Partial<FaultyFileSystem>): FaultyFileSystem {
  return new Proxy(fs, {
    get(target, name) {
      if (Object.hasOwn(by, name)) return Reflect.get(by, name)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
