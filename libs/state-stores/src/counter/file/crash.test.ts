import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { isDiskFull } from '../disk-full.ts'
import type { CounterOp } from '../port.ts'
import type { Sizes } from './counter-files.ts'
import { Crash, FaultyFileSystem, type Fault } from './faulty-file-system.ts'
import { ensureFolder } from './replace-file.ts'
import { ExclusiveEngine } from './exclusive-engine.ts'
import { FileStore } from './file-store.ts'

const path = '/data/counters/counter.json'
const now = (): number => 1_700_000_000_000

/** Adds 1 to two counters in one batch, so that half a batch would show as a difference between them. */
const pair = (key: string): CounterOp[] =>
  ['n/a', 'n/b'].map((name) => ({ kind: 'add', name, by: 1n, token: { scope: name, key, fingerprint: 'f' } }))

/** Callers who go together share a commit. */
const script = [['1'], ['2', '3'], ['4']]
const keys = script.flat()

interface Answers {
  /** The value that each acknowledged key was told. */
  readonly acknowledged: Map<string, bigint>
  readonly notApplied: Set<string>
  readonly unknown: Set<string>
}

/** A file that each commit replaces; a log; a log that is compacted after each record; one for the commit of many callers. */
const layouts = {
  snapshot: {},
  log: { logAtBytes: 0 },
  compaction: { logAtBytes: 0, compactAtBytes: 0, pause: async () => {} },
  hurry: { logAtCallers: 2, calmCommits: 1 },
} satisfies Record<string, Sizes & { pause?: () => Promise<void> }>
type Layout = keyof typeof layouts

async function start(fs: FaultyFileSystem, layout: Layout = 'snapshot'): Promise<FileStore> {
  await ensureFolder(fs, '/data/counters')
  return new FileStore(await ExclusiveEngine.open(fs, { path, now, ...layouts[layout] }))
}

/** Lets what goes on in the background come to its end. */
async function quiet(fs: FaultyFileSystem): Promise<void> {
  let seen = -1
  while (fs.steps.length !== seen) {
    seen = fs.steps.length
    await setImmediate()
  }
}

async function ask(store: FileStore, fs: FaultyFileSystem, key: string, answers: Answers): Promise<void> {
  try {
    const [first] = await store.commit(pair(key))
    if (first?.ok !== true) throw new Error(`${key} was refused`)
    answers.acknowledged.set(key, first.value)
  } catch (error) {
    // What a dead process says, nobody hears.
    if (fs.crashed || error instanceof OutcomeUnknownError) answers.unknown.add(key)
    else if (error instanceof NotAppliedError) answers.notApplied.add(key)
    else throw error
  }
}

interface Ran {
  readonly layout: Layout
  readonly fs: FaultyFileSystem
  readonly answers: Answers
}

/** Runs the script on a file system with these faults, until it ends or crashes. */
async function run(layout: Layout, faults: ReadonlyMap<number, Fault>): Promise<Ran> {
  const fs = new FaultyFileSystem()
  fs.fault = (index) => faults.get(index)
  const answers: Answers = { acknowledged: new Map(), notApplied: new Set(), unknown: new Set() }
  try {
    const store = await start(fs, layout)
    for (const together of script) await Promise.all(together.map((key) => ask(store, fs, key, answers)))
  } catch (error) {
    if (!fs.crashed && !(error instanceof Error && error.message.includes('injected'))) throw error
  }
  await quiet(fs)
  return { layout, fs, answers }
}

const amount = async (store: FileStore): Promise<bigint> => {
  const [a, b] = await store.read(['n/a', 'n/b'])
  expect(a?.value, 'half a batch').toBe(b?.value)
  return a?.value ?? 0n
}

/** Power fails now: whatever the disk holds then, every promise must be kept. Returns how many states were looked at. */
async function verify({ layout, fs, answers }: Ran): Promise<number> {
  let states = 0
  for (const survivor of fs.afterCrash()) {
    states += 1
    const store = await start(survivor, layout)
    const found = await amount(store)
    expect(found).toBeGreaterThanOrEqual(BigInt(answers.acknowledged.size))
    expect(found).toBeLessThanOrEqual(BigInt(answers.acknowledged.size + answers.unknown.size))
    for (const key of keys) {
      const [first] = await store.commit(pair(key))
      const told = answers.acknowledged.get(key)
      expect(first).toMatchObject(told === undefined ? { ok: true } : { ok: true, value: told, replayed: true })
    }
    await expect(amount(store)).resolves.toBe(BigInt(keys.length))
  }
  return states
}

async function stepsOf(layout: Layout, faults: ReadonlyMap<number, Fault> = new Map()): Promise<number> {
  return (await run(layout, faults)).fs.steps.length
}

const kinds: readonly Fault[] = ['crash-before', 'crash-after', 'ENOSPC', 'EIO']

test.each([
  ['snapshot', ['create', 'write', 'sync file', 'close', 'rename', 'sync folder']],
  ['log', ['write', 'sync file', 'write', 'sync file']],
] as const)('the steps of a commit: %s', async (layout, steps) => {
  const { fs, answers } = await run(layout, new Map())
  expect(fs.steps.slice(-steps.length)).toEqual(steps)
  expect([...answers.acknowledged.values()]).toEqual([1n, 2n, 3n, 4n])
  await expect(verify({ layout, fs, answers })).resolves.toBe(1)
})

test('the steps of a compaction: a new log first, the old ones last', async () => {
  const { fs } = await run('compaction', new Map())
  expect(fs.steps.slice(fs.steps.lastIndexOf('remove') - 6)).toEqual(
    ['write', 'sync file', 'close', 'rename', 'sync folder', 'remove'].toSpliced(0, 0, 'write'),
  )
  expect(await fs.list('/data/counters')).toHaveLength(2)
})

test('the steps of a hurry and after it: a log while two wait, then one file again', async () => {
  const { fs } = await run('hurry', new Map())
  expect(fs.steps.slice(-16)).toEqual(
    [
      ['write', 'sync file'],
      ['create', 'write', 'sync file', 'close', 'rename', 'sync folder', 'close', 'remove'],
      ['create', 'write', 'sync file', 'close', 'rename', 'sync folder'],
    ].flat(),
  )
  expect(await fs.list('/data/counters')).toEqual(['counter.json'])
})

describe.each(['snapshot', 'log', 'compaction', 'hurry'] as const)(
  '%s: whatever fails, and wherever power is lost',
  (layout) => {
    test.each(kinds)(
      '%s at every step: nothing acknowledged is lost, nothing is doubled, no batch is halved',
      async (kind) => {
        const steps = await stepsOf(layout)
        let states = 0
        for (let index = 0; index < steps; index++) states += await verify(await run(layout, new Map([[index, kind]])))
        expect(steps).toBeGreaterThan(20)
        expect(states).toBeGreaterThanOrEqual(steps)
      },
    )

    // Of those with a log every fourth, which takes seconds and not minutes; all with CRASH_PAIRS=all.
    test('pairs of faults', { timeout: 600_000 }, async () => {
      let states = 0
      const stride = layout === 'snapshot' || process.env['CRASH_PAIRS'] === 'all' ? 1 : 4
      const steps = await stepsOf(layout)
      for (let i = 0; i < steps; i++) {
        const more = await stepsOf(layout, new Map([[i, 'EIO']]))
        for (let j = i + 1 + (i % stride); j < more; j += stride) {
          // A full disk differs from a broken one only when the store opens; a crash before a step is one after the last.
          for (const second of ['crash-after', 'EIO'] as const) {
            const faults = new Map<number, Fault>([
              [i, 'EIO'],
              [j, second],
            ])
            states += await verify(await run(layout, faults))
          }
        }
      }
      expect(states).toBeGreaterThan(500)
    })

    test('any number of faults', async () => {
      const faults = fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...kinds, 'EIO' as const, 'EIO' as const)), {
        maxLength: 8,
      })
      let states = 0
      await fc.assert(
        fc.asyncProperty(faults, async (list) => {
          states += await verify(await run(layout, new Map(list)))
        }),
        { numRuns: 200 },
      )
      expect(states).toBeGreaterThan(200)
    })

    test('a process that follows a killed one shows nobody what a loss of power could take back', async () => {
      const steps = await stepsOf(layout)
      for (let index = 0; index < steps; index++) {
        for (const kind of ['crash-after', 'EIO'] as const) {
          const { fs } = await run(
            layout,
            new Map([
              [index, kind],
              [index + 1, 'crash-before'],
            ]),
          )
          fs.afterKill()
          const shown = await amount(await start(fs, layout))
          for (const survivor of fs.afterCrash()) {
            expect(await amount(await start(survivor, layout)), `killed after step ${index}`).toBeGreaterThanOrEqual(
              shown,
            )
          }
        }
      }
    })
  },
)

describe('a disk that is full', () => {
  test('refuses writes as not applied, keeps reading, leaves no litter, and recovers by itself', async () => {
    const fs = new FaultyFileSystem()
    const store = await start(fs)
    await store.commit(pair('1'))
    fs.fault = (_, step) => (step === 'write' ? 'ENOSPC' : undefined)
    const refused = await Promise.allSettled([store.commit(pair('2')), store.commit(pair('3'))])
    expect(refused.map((result) => result.status === 'rejected' && isDiskFull(result.reason))).toEqual([true, true])
    await expect(amount(store)).resolves.toBe(1n)
    await expect(store.check()).resolves.toBeUndefined()
    expect(fs.has(`${path}.tmp`)).toBe(false)
    fs.fault = () => undefined
    await expect(store.commit(pair('2'))).resolves.toMatchObject([{ value: 2n }, { value: 2n }])
  })

  test('is asked once for all who wait, not once for each', async () => {
    const fs = new FaultyFileSystem()
    const store = await start(fs)
    fs.fault = (_, step) => (step === 'write' ? 'ENOSPC' : undefined)
    await Promise.allSettled(Array.from({ length: 100 }, (_, i) => store.commit(pair(String(i)))))
    expect(fs.steps.filter((step) => step === 'write')).toHaveLength(1)
  })
})

test('a snapshot that cannot be written is told of, and commits go on', async () => {
  const fs = new FaultyFileSystem()
  await ensureFolder(fs, '/data/counters')
  let failures = 0
  const observer = { compactionFailed: () => void failures++ }
  const options = { path, now, ...layouts.compaction, observer }
  const store = new FileStore(await ExclusiveEngine.open(fs, options, async () => {}))
  await store.commit(pair('1'))
  await store.commit(pair('2'))
  await quiet(fs)
  expect(failures).toBe(0)
  // Of the two that a commit creates then, a log and a snapshot.
  let created = 0
  fs.fault = (_, step) => (step === 'create' && ++created === 2 ? 'EIO' : undefined)
  await expect(store.commit(pair('3'))).resolves.toMatchObject([{ value: 3n }, { value: 3n }])
  await quiet(fs)
  expect(failures).toBe(1)
  await expect(store.commit(pair('4'))).resolves.toMatchObject([{ value: 4n }, { value: 4n }])
})

describe('an fsync that fails', () => {
  test('of the file: not applied, and the next commit uses a fresh file', async () => {
    const fs = new FaultyFileSystem()
    const store = await start(fs)
    let failures = 1
    fs.fault = (_, step) => (step === 'sync file' && failures-- > 0 ? 'EIO' : undefined)
    await expect(store.commit(pair('1'))).rejects.toThrow(NotAppliedError)
    await expect(store.commit(pair('1'))).resolves.toMatchObject([{ value: 1n, replayed: false }, {}])
  })

  test('of the folder: the file is read and written anew before anybody is answered', async () => {
    const fs = new FaultyFileSystem()
    const store = await start(fs)
    let failures = 1
    fs.fault = (_, step) => (step === 'sync folder' && failures-- > 0 ? 'EIO' : undefined)
    await expect(store.commit(pair('1'))).resolves.toMatchObject([{ value: 1n }, { value: 1n }])
    const [failed, again] = [fs.steps.indexOf('sync folder', 9), fs.steps.lastIndexOf('list')]
    expect(fs.steps.slice(again, again + 3)).toEqual(['list', 'read', 'create'])
    expect(fs.steps.slice(-4)).toEqual(['sync file', 'close', 'rename', 'sync folder'])
    expect(failed).toBeLessThan(again)
  })

  test('again and again: unknown, then refused as not applied; readers see what was acknowledged; then all is well', async () => {
    const fs = new FaultyFileSystem()
    const store = await start(fs)
    await store.commit(pair('1'))
    fs.fault = (_, step) => (step === 'sync folder' ? 'EIO' : undefined)
    await expect(store.commit(pair('2'))).rejects.toThrow(OutcomeUnknownError)
    await expect(store.commit(pair('3'))).rejects.toThrow(NotAppliedError)
    await expect(store.check()).rejects.toThrow('unknown state')
    await expect(amount(store)).resolves.toBe(1n)
    fs.fault = () => undefined
    await expect(store.check()).resolves.toBeUndefined()
    await expect(store.commit(pair('2'))).resolves.toMatchObject([{ value: 2n, replayed: true }, { value: 2n }])
    await expect(store.commit(pair('3'))).resolves.toMatchObject([{ value: 3n, replayed: false }, { value: 3n }])
  })
})

test('a file that is gone when its replacement failed is no empty store', async () => {
  const fs = new FaultyFileSystem()
  const store = await start(fs)
  await store.commit(pair('1'))
  await fs.remove(path)
  fs.fault = (_, step) => (step === 'rename' ? 'EIO' : undefined)
  await expect(store.commit(pair('2'))).rejects.toThrow(OutcomeUnknownError)
  fs.fault = () => undefined
  await expect(store.check()).rejects.toThrow(`${path} is gone: put it back`)
  await expect(store.commit(pair('3'))).rejects.toThrow(NotAppliedError)
  await expect(amount(store)).resolves.toBe(1n)
})

test('the file system under test is as bad as it claims', async () => {
  const fs = new FaultyFileSystem()
  await ensureFolder(fs, '/d')
  const file = await fs.create('/d/x')
  await file.write([Buffer.from('12345678')])
  const contents = async (): Promise<(string | undefined)[]> =>
    Promise.all([...fs.afterCrash()].map(async (survivor) => (await survivor.read('/d/x'))?.toString()))
  expect(new Set(await contents())).toEqual(new Set([undefined, '', '12345678', '1234', '\0'.repeat(8)]))
  await file.sync()
  expect(new Set(await contents())).toEqual(new Set([undefined, '12345678']))
  await fs.syncFolder('/d')
  await expect(contents()).resolves.toEqual(['12345678'])
  fs.fault = () => 'crash-before'
  await expect(fs.read('/d/x')).rejects.toThrow(Crash)
})
