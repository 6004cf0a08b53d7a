import { glob, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { inspectLmdbFile } from '../../lmdb-data-file.ts'
import { bytesOf, name, readAll } from '../contract/harness.ts'
import { sha256 } from '../hash.ts'
import { lmdbBlobStore } from '../lmdb.ts'
import { DamagedBlobError } from '../port.ts'

/** Bytes between two cuts in the middle of a range; at its ends every byte is one. `npm run proof` takes 1. */
const step = Number(process.env['TRUNCATE_STEP'] ?? 2_039)
const pageBytes = 4096

function* cuts(from: number, to: number, everyByte = 8): Generator<number> {
  for (let cut = to; cut >= from; cut -= cut - from <= everyByte || to - cut < everyByte ? 1 : step) yield cut
}

const kept = Array.from({ length: 6 }, (_, index) => bytesOf(index, 500 + index * 900))
const last = bytesOf(99, 9_000)

/** The data file before and after a last commit, whose message is `last`. */
async function images(path: string): Promise<{ before: Buffer; after: Buffer }> {
  await using store = await lmdbBlobStore({ path })
  for (const [index, bytes] of kept.entries()) await store.putSmall([{ name: name(`${index}`), bytes }])
  const before = await readFile(join(path, 'data.mdb'))
  await store.putSmall([{ name: name('last'), bytes: last }])
  return { before, after: await readFile(join(path, 'data.mdb')) }
}

async function expectKept(path: string, hasLast: boolean): Promise<void> {
  await using store = await lmdbBlobStore({ path })
  for (const [index, bytes] of kept.entries()) {
    expect((await readAll(await store.open(name(`${index}`))))?.equals(bytes)).toBe(true)
  }
  expect((await readAll(await store.open(name('last'))))?.equals(last)).toBe(hasLast ? true : undefined)
  // And it can be written again.
  const [put] = await store.putSmall([{ name: name('last'), bytes: last }])
  expect(put?.outcome).toBe(hasLast ? 'exists' : 'created')
}

test(
  'a commit that a crash cut off at any byte of the data file is gone, and all before it is there',
  { timeout: 3_600_000 },
  async () => {
    await using folder = await temporaryFolder()
    const { before, after } = await images(folder.path)
    expect(after.length).toBeGreaterThan(before.length + 2 * pageBytes)
    const file = join(folder.path, 'data.mdb')
    // What is written before the meta page that makes it visible.
    const written = Buffer.concat([before.subarray(0, 2 * pageBytes), after.subarray(2 * pageBytes)])
    for (const cut of cuts(before.length, after.length)) {
      await writeFile(file, written.subarray(0, cut))
      await expectKept(folder.path, false)
    }
  },
)

test(
  'a data file that lost its end is read as far as nothing is missing, else refused and left as it is',
  { timeout: 3_600_000 },
  async () => {
    await using folder = await temporaryFolder()
    const { after } = await images(folder.path)
    const file = join(folder.path, 'data.mdb')
    let refusedFrom = Infinity
    let refusals = 0
    for (const cut of cuts(0, after.length)) {
      const image = after.subarray(0, cut)
      await writeFile(file, image)
      const damage = await inspectLmdbFile(file)
      // What is missing of a longer file is missing of a shorter one.
      if (cut < refusedFrom && damage !== undefined) refusedFrom = cut
      expect([cut, damage === undefined]).toEqual([cut, cut > refusedFrom || refusedFrom === Infinity])
      if (damage === undefined) {
        await expectKept(folder.path, true)
        continue
      }
      // Each waits a moment for another process that might just be making the file.
      if (refusals++ % 10 > 0 || refusals > 200) continue
      await expect(lmdbBlobStore({ path: folder.path })).rejects.toThrow(/is damaged.*left as it is: restore a backup/)
      expect((await readFile(file)).equals(image)).toBe(true)
    }
    expect(refusedFrom).toBeLessThanOrEqual(after.length)
    await writeFile(file, after)
    await expectKept(folder.path, true)
  },
)

test.each(['none', 'zstd'] as const)(
  'a blob whose file lost its end at any byte is never given out, and nothing else is touched (compression: %s)',
  { timeout: 3_600_000 },
  async (compression) => {
    await using folder = await temporaryFolder()
    await using store = await lmdbBlobStore({ path: folder.path, compression })
    const newest = Buffer.concat([bytesOf(2, 40_000), Buffer.alloc(26_000)])
    const neighbour = bytesOf(1, 70_000)
    await store.put({ name: name('neighbour') }, [neighbour])
    const file = async (): Promise<string> => {
      for await (const path of glob(`files/*/${sha256(newest)}-*`, { cwd: folder.path })) return join(folder.path, path)
      throw new Error('no file')
    }
    await store.put({ name: name('newest') }, [newest])
    const whole = (await readFile(await file())).length
    for (const cut of cuts(0, whole - 1)) {
      await truncate(await file(), cut)
      await expect(store.open(name('newest')).then(readAll)).rejects.toThrow(DamagedBlobError)
      expect((await readAll(await store.open(name('neighbour'))))?.equals(neighbour)).toBe(true)
      // Whoever still has the bytes makes it good.
      expect((await store.put({ name: name('newest') }, [newest])).outcome).toBe('exists')
      expect((await readAll(await store.open(name('newest'))))?.equals(newest)).toBe(true)
    }
  },
)
