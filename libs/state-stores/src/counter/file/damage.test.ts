import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { NotAppliedError, OutcomeUnknownError } from '../../outcome.ts'
import { fileCounterStore } from '../file.ts'
import { troubleOf } from '../trouble.ts'
import { ExclusiveEngine } from './exclusive-engine.ts'
import { FaultyFileSystem } from './faulty-file-system.ts'
import { FileStore } from './file-store.ts'
import { readFiles } from './read-files.ts'
import { ensureFolder } from './replace-file.ts'

const path = '/d/counter.json'
const now = (): number => 1_700_000_000_000

async function filled(logAtBytes: number): Promise<FaultyFileSystem> {
  const fs = new FaultyFileSystem()
  await ensureFolder(fs, '/d')
  const store = new FileStore(await ExclusiveEngine.open(fs, { path, now, logAtBytes }))
  for (const key of ['1', '2', '3']) {
    await store.commit([{ kind: 'add', name: 'n/a', by: 1n, token: { scope: 's', key, fingerprint: 'f' } }])
  }
  await store.close()
  return fs
}

async function replace(fs: FaultyFileSystem, name: string, content: Uint8Array): Promise<void> {
  const file = await fs.create(name)
  await file.write([content])
  await file.sync()
}

/** The value with each single byte changed, `undefined` where the files are refused. */
async function* flips(fs: FaultyFileSystem, name: string): AsyncGenerator<{ at: number; found: bigint | undefined }> {
  const content = Buffer.from((await fs.read(name)) ?? [])
  for (let at = 0; at < content.byteLength; at++) {
    const changed = Buffer.from(content)
    changed[at] = (changed[at] ?? 0) ^ 1
    await replace(fs, name, changed)
    const found = await readFiles(fs, path).then(
      ({ state }) => state.get('n/a')?.value ?? 0n,
      () => undefined,
    )
    yield { at, found }
  }
}

test('every flipped bit of a snapshot is noticed, or harmless', async () => {
  let refused = 0
  for await (const { at, found } of flips(await filled(1_000_000), path)) {
    expect(found ?? 3n, `byte ${at}`).toBe(3n)
    if (found === undefined) refused += 1
  }
  // All but those of the word "crc32" itself and of the white space at the end.
  expect(refused).toBeGreaterThan(300)
})

test('every flipped bit of a log is noticed: a record is never taken for one that a crash cut off', async () => {
  let last = -1
  for await (const { at, found } of flips(await filled(0), `${path}.log.1`)) {
    expect(found, `byte ${at}`).toBeUndefined()
    last = at
  }
  expect(last).toBeGreaterThan(300)
})

test('a record that is whole is kept, whatever a crash left of the line break behind it', async () => {
  const log = `${path}.log.1`
  const fs = await filled(0)
  const content = Buffer.from((await fs.read(log)) ?? [])
  for (const end of [Buffer.alloc(0), Buffer.alloc(1)]) {
    await replace(fs, log, Buffer.concat([content.subarray(0, -1), end]))
    expect((await readFiles(fs, path)).state.get('n/a')?.value).toBe(3n)
  }
})

test('a log that is cut off anywhere gives what was whole; without its beginning, or without a log between, it is refused', async () => {
  const log = `${path}.log.1`
  const fs = await filled(0)
  const content = Buffer.from((await fs.read(log)) ?? [])
  const values = new Set<string>()
  for (let length = content.indexOf('\n') + 1; length <= content.byteLength; length++) {
    await replace(fs, log, content.subarray(0, length))
    values.add(String((await readFiles(fs, path)).state.get('n/a')?.value))
  }
  expect([...values]).toEqual(['1', '2', '3'])
  await replace(fs, `${path}.log.7`, content)
  await expect(readFiles(fs, path)).rejects.toThrow(/log\.7 goes on after commit 7, but what leads there ends at 3/)
  await fs.remove(`${path}.log.7`)
  await fs.remove(log)
  await expect(readFiles(fs, path)).rejects.toThrow(`${log} is gone: put it back`)
  const error: unknown = await readFiles(fs, path).catch((reason: unknown) => reason)
  expect(troubleOf(error)).toEqual({
    kind: 'damaged',
    detail: 'counter.json.log.1 is gone: put it back; nothing was changed',
  })
})

test('after a write whose effect is unknown, an older file is not taken for what was acknowledged', async () => {
  const fs = new FaultyFileSystem()
  await ensureFolder(fs, '/d')
  const store = new FileStore(await ExclusiveEngine.open(fs, { path, now }))
  const add = async (): Promise<unknown> => store.commit([{ kind: 'add', name: 'n/a', by: 1n }])
  const shown = async (): Promise<unknown> => (await store.read(['n/a']))[0]?.value
  await add()
  const older = Buffer.from((await fs.read(path)) ?? [])
  await add()
  const newest = Buffer.from((await fs.read(path)) ?? [])
  await replace(fs, path, older)
  fs.fault = (_, step) => (step === 'rename' ? 'EIO' : undefined)
  await expect(add()).rejects.toThrow(OutcomeUnknownError)
  fs.fault = () => undefined
  await expect(add()).rejects.toThrow('older than what was acknowledged: put it back')
  await expect(store.check()).rejects.toThrow(NotAppliedError)
  expect([await shown(), Buffer.from((await fs.read(path)) ?? [])]).toEqual([2n, older])
  await replace(fs, path, newest)
  await add()
  expect(await shown()).toBe(3n)
})

test('damaged content is kept under a name that says so, once, and the file stays as it is', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'counter.json')
  const store = await fileCounterStore({ path: file })
  await store.commit([{ kind: 'add', name: 'n/a', by: 1n }])
  await store.close()
  const damaged = (await readFile(file, 'utf8')).replace('"value":"1"', '"value":"7"')
  await writeFile(file, damaged)
  for (let start = 0; start < 2; start++) {
    const error: unknown = await fileCounterStore({ path: file }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      message: expect.stringMatching(/checksum is .* with a copy in counter\.json\.damaged-/),
    })
    const detail = expect.stringMatching(/^counter\.json cannot be read .*damaged-\w{8}$/)
    expect(troubleOf(error)).toEqual({ kind: 'damaged', detail })
  }
  const names = await readdir(folder.path)
  const copies = names.filter((name) => name.includes('damaged'))
  expect(copies).toHaveLength(1)
  expect(await readFile(join(folder.path, copies[0] ?? ''), 'utf8')).toBe(damaged)
  expect(await readFile(file, 'utf8')).toBe(damaged)
})
