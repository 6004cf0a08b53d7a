import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { bytesOf, name, pieces, readAll } from '../contract/harness.ts'
import { sha256 } from '../hash.ts'
import { lmdbBlobStore } from '../lmdb.ts'
import type { Damage } from '../port.ts'

const text = (length: number): Buffer => Buffer.alloc(length, 'the same words again and again; ')
/** A chunk that compresses, one that does not, and a piece of one. */
const mixed = Buffer.concat([text(262_144), randomBytes(262_144), text(100_001)])
const values = {
  empty: Buffer.alloc(0),
  short: text(40),
  small: text(60_000),
  noise: randomBytes(60_000),
  large: text(900_001),
  mixed,
}

async function files(folder: string): Promise<string[]> {
  const found = await readdir(join(folder, 'files'), { recursive: true, withFileTypes: true })
  return found.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name))
}

test('bytes come back as they were, whole and in part, whether they rest compressed or not', async () => {
  await using folder = await temporaryFolder()
  for (const compression of ['zstd', 'none'] as const) {
    await using store = await lmdbBlobStore({ path: folder.path, compression })
    for (const [key, bytes] of Object.entries(values)) {
      const { outcome } = await store.put({ name: name(key), digest: sha256(bytes) }, pieces(bytes, 50_000))
      expect([key, outcome]).toEqual([key, compression === 'zstd' ? 'created' : 'exists'])
      expect((await readAll(await store.open(name(key))))?.equals(bytes)).toBe(true)
      const [start, end] = [Math.floor(bytes.length / 3), Math.floor(bytes.length * 0.9)]
      const part = await readAll(await store.open(name(key), { start, end }))
      expect(part?.equals(bytes.subarray(start, end))).toBe(true)
    }
    const sizeBytes = Object.values(values).reduce((sum, { length }) => sum + length, 0)
    expect(store.usage()).toMatchObject({ sizeBytes })
    expect(await store.scrub({ limit: 100 })).toMatchObject({ blobs: 6, sizeBytes, damaged: 0 })
  }
  const sizes = await Promise.all((await files(folder.path)).map(async (file) => (await stat(file)).size))
  const [least = 0, most = 0] = sizes.toSorted((a, b) => a - b)
  expect(least).toBeLessThan(values.large.length / 100)
  expect(most).toBeGreaterThan(262_144)
  expect(most).toBeLessThan(300_000)
})

test('damage in what is compressed is found, and mended by whoever brings the bytes again', async () => {
  await using folder = await temporaryFolder()
  const damages: Damage[] = []
  const options = {
    path: folder.path,
    compression: 'zstd',
    onDamage: (damage: Damage) => damages.push(damage),
  } as const
  const small = Buffer.concat([text(20_000), bytesOf(1, 2_000)])
  {
    await using store = await lmdbBlobStore(options)
    await store.put({ name: name('small') }, [small])
    await store.put({ name: name('mixed') }, [mixed])
  }
  const [file = ''] = await files(folder.path)
  await flip(file, (await stat(file)).size - 3)
  const data = join(folder.path, 'data.mdb')
  const noise = (await readFile(data)).indexOf(small.subarray(-100))
  expect(noise).toBeGreaterThan(0)
  await flip(data, noise + 50)

  await using store = await lmdbBlobStore(options)
  await expect(store.open(name('small')).then(readAll)).rejects.toThrow('damaged')
  expect((await readAll(await store.open(name('mixed'), { start: 0, end: 500_000 })))?.length).toBe(500_000)
  await expect(store.open(name('mixed')).then(readAll)).rejects.toThrow('damaged')
  expect(damages.map(({ digest }) => digest)).toEqual([sha256(small), sha256(mixed)])
  for (const [key, bytes] of Object.entries({ small, mixed })) {
    await store.put({ name: name(key) }, [bytes])
    expect((await readAll(await store.open(name(key))))?.equals(bytes)).toBe(true)
  }
})

async function flip(file: string, at: number): Promise<void> {
  const bytes = await readFile(file)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(file, bytes)
}
