import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { isDiskFull } from '../disk-full.ts'
import type { CounterOp } from '../port.ts'
import { Crash, FaultyFileSystem, type Fault } from './faulty-file-system.ts'
import { ensureFolder } from './replace-file.ts'
import { SnapshotStore } from './snapshot-store.ts'

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

async function start(fs: FaultyFileSystem): Promise<SnapshotStore> {
  await ensureFolder(fs, '/data/counters')
  return SnapshotStore.open(fs, { path, now })
}

async function ask(store: SnapshotStore, fs: FaultyFileSystem, key: string, answers: Answers): Promise<void> {
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

/** Runs the script on a file system with these faults, until it ends or crashes. */
async function run(faults: ReadonlyMap<number, Fault>): Promise<{ fs: FaultyFileSystem; answers: Answers }> {
  const fs = new FaultyFileSystem()
  fs.fault = (index) => faults.get(index)
  const answers: Answers = { acknowledged: new Map(), notApplied: new Set(), unknown: new Set() }
  try {
    const store = await start(fs)
    for (const together of script) await Promise.all(together.map((key) => ask(store, fs, key, answers)))
  } catch (error) {
    if (!fs.crashed && !(error instanceof Error && error.message.includes('injected'))) throw error
  }
  return { fs, answers }
}

const amount = async (store: SnapshotStore): Promise<bigint> => {
  const [a, b] = await store.read(['n/a', 'n/b'])
  expect(a?.value, 'half a batch').toBe(b?.value)
  return a?.value ?? 0n
}

/** Power fails now: whatever the disk holds then, every promise must be kept. Returns how many states were looked at. */
async function verify({ fs, answers }: { fs: FaultyFileSystem; answers: Answers }): Promise<number> {
  let states = 0
  for (const survivor of fs.afterCrash()) {
    states += 1
    const store = await start(survivor)
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

async function stepsOf(faults: ReadonlyMap<number, Fault>): Promise<number> {
  return (await run(faults)).fs.steps.length
}

const kinds: readonly Fault[] = ['crash-before', 'crash-after', 'ENOSPC', 'EIO']

describe('whatever fails, and wherever power is lost', () => {
  test('the steps of a commit: write, fsync, rename, fsync of the folder', async () => {
    const { fs, answers } = await run(new Map())
    expect(fs.steps.slice(-6)).toEqual(['create', 'write', 'sync file', 'close', 'rename', 'sync folder'])
    expect([...answers.acknowledged.values()]).toEqual([1n, 2n, 3n, 4n])
    await expect(verify({ fs, answers })).resolves.toBe(1)
  })

  test.each(kinds)(
    '%s at every step: nothing acknowledged is lost, nothing is doubled, no batch is halved',
    async (kind) => {
      const steps = await stepsOf(new Map())
      let states = 0
      for (let index = 0; index < steps; index++) states += await verify(await run(new Map([[index, kind]])))
      expect(steps).toBeGreaterThan(20)
      expect(states).toBeGreaterThanOrEqual(steps)
    },
  )

  test('every pair of faults', async () => {
    let states = 0
    for (const first of ['EIO', 'ENOSPC'] as const) {
      const steps = await stepsOf(new Map())
      for (let i = 0; i < steps; i++) {
        const more = await stepsOf(new Map([[i, first]]))
        for (let j = i + 1; j < more; j++) {
          for (const second of kinds)
            states += await verify(
              await run(
                new Map([
                  [i, first],
                  [j, second],
                ]),
              ),
            )
        }
      }
    }
    expect(states).toBeGreaterThan(3_000)
  })

  test('any number of faults', async () => {
    const faults = fc.array(fc.tuple(fc.nat(60), fc.constantFrom(...kinds, 'EIO' as const, 'EIO' as const)), {
      maxLength: 8,
    })
    let states = 0
    await fc.assert(
      fc.asyncProperty(faults, async (list) => {
        states += await verify(await run(new Map(list)))
      }),
      { numRuns: 300 },
    )
    expect(states).toBeGreaterThan(300)
  })
})

test('a process that follows a killed one shows nobody what a loss of power could take back', async () => {
  const steps = await stepsOf(new Map())
  for (let index = 0; index < steps; index++) {
    const { fs } = await run(new Map([[index, 'crash-after']]))
    fs.afterKill()
    const shown = await amount(await start(fs))
    for (const survivor of fs.afterCrash()) {
      expect(await amount(await start(survivor)), `killed after step ${index}`).toBeGreaterThanOrEqual(shown)
    }
  }
})

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
    expect(fs.steps.slice(-8)).toEqual([
      'sync folder',
      'read',
      'create',
      'write',
      'sync file',
      'close',
      'rename',
      'sync folder',
    ])
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
  expect(new Set(await contents())).toEqual(new Set([undefined, '', '12345678', '1234']))
  await file.sync()
  expect(new Set(await contents())).toEqual(new Set([undefined, '12345678']))
  await fs.syncFolder('/d')
  await expect(contents()).resolves.toEqual(['12345678'])
  fs.fault = () => 'crash-before'
  await expect(fs.read('/d/x')).rejects.toThrow(Crash)
})
