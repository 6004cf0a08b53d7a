import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesOf, readAll } from '../contract/harness.ts'
import { sha256 } from '../hash.ts'
import { lmdbBlobStore } from '../lmdb.ts'
import type { SmallEntry } from '../port.ts'
import { salvageBlobs } from '../salvage.ts'

const pageBytes = 4096

/** Messages, keyed ones, one of several pages, and two that share bytes. */
function content(): readonly SmallEntry[] {
  const messages = Array.from({ length: 60 }, (_, index) => {
    const bytes = bytesOf(index, 100 + index)
    return { name: { namespace: 'messages', key: sha256(bytes) }, bytes }
  })
  const keyed = Array.from({ length: 40 }, (_, index) => ({
    name: { namespace: 'ac', key: `key ${index}` },
    bytes: bytesOf(index % 30, index * 300),
  }))
  return [...messages, ...keyed]
}

const idOf = ({ namespace, key }: SmallEntry['name']): string => `${namespace} ${key}`

async function filled(path: string): Promise<Map<string, Buffer>> {
  await using store = await lmdbBlobStore({ path })
  const all = content()
  for (let index = 0; index < all.length; index += 20) await store.putSmall(all.slice(index, index + 20))
  const large = bytesOf(7, 300_000)
  await store.put({ name: { namespace: 'ac', key: 'large' } }, [large])
  return new Map([
    ...all.map(({ name, bytes }) => [idOf(name), Buffer.from(bytes)] as const),
    ['ac large', large] as const,
  ])
}

interface Found {
  readonly whole: ReadonlyMap<string, Buffer>
  readonly lost: readonly string[]
  readonly lostPages: number
}

async function salvage(path: string): Promise<Found> {
  const whole = new Map<string, Buffer>()
  const lost: string[] = []
  let lostPages = 0
  for await (const { name, blob } of salvageBlobs(`lmdb:${path}`, (pages) => (lostPages = pages))) {
    expect(whole.has(idOf(name))).toBe(false)
    const bytes = await readAll(blob)
    if (bytes === undefined) lost.push(idOf(name))
    else whole.set(idOf(name), bytes)
  }
  return { whole, lost, lostPages }
}

function expectRight(found: Found, all: ReadonlyMap<string, Buffer>): void {
  for (const [id, bytes] of found.whole) expect([id, all.get(id)?.equals(bytes)]).toEqual([id, true])
  for (const id of found.lost) expect(all.has(id)).toBe(true)
  const unknown = all.size - found.whole.size - found.lost.length
  expect([unknown, unknown > 0 && found.lostPages === 0]).toEqual([unknown, false])
}

test('of a store that is whole everything is found, and nothing of it is touched', async () => {
  await using folder = await temporaryFolder()
  const all = await filled(folder.path)
  const before = await readFile(join(folder.path, 'data.mdb'))
  const found = await salvage(folder.path)
  expect([found.whole.size, found.lost, found.lostPages]).toEqual([all.size, [], 0])
  expectRight(found, all)
  expect((await readFile(join(folder.path, 'data.mdb'))).equals(before)).toBe(true)
})

test('a data file that was cut off or overwritten anywhere gives what is left of it, and nothing wrong', async () => {
  await using folder = await temporaryFolder()
  const all = await filled(folder.path)
  const file = join(folder.path, 'data.mdb')
  const data = await readFile(file)
  const pages = data.length / pageBytes
  let most = 0
  const garbage = fc.record({
    page: fc.nat(pages - 1),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    at: fc.nat(4095),
  })
  await fc.assert(
    fc.asyncProperty(fc.option(fc.nat(data.length)), fc.array(garbage, { maxLength: 5 }), async (cut, overwritten) => {
      const image = Buffer.from(data)
      for (const { page, bytes, at } of overwritten) image.set(bytes.slice(0, 4096 - at), page * pageBytes + at)
      await writeFile(file, image.subarray(0, cut ?? data.length))
      const found = await salvage(folder.path).catch((error: unknown) => {
        if (String(error).includes('has no meta page left')) return undefined
        throw error
      })
      for (const [id, bytes] of found?.whole ?? []) {
        // A key that was overwritten may be another one; its bytes are never others than were stored.
        const allowed = id.startsWith('messages ') && all.has(id) ? [all.get(id)] : [...all.values()]
        expect([id, allowed.some((stored) => stored?.equals(bytes))]).toEqual([id, true])
      }
      most = Math.max(most, found?.whole.size ?? 0)
    }),
    { numRuns: 25 },
  )
  expect(most).toBeGreaterThan(0)
})

test('without its last pages most of it is found; what is not is counted', async () => {
  await using folder = await temporaryFolder()
  const all = await filled(folder.path)
  const file = join(folder.path, 'data.mdb')
  const data = await readFile(file)
  const counts: number[] = []
  for (let gone = 1; gone <= 8; gone++) {
    await writeFile(file, data.subarray(0, data.length - gone * pageBytes))
    const found = await salvage(folder.path)
    expectRight(found, all)
    counts.push(found.whole.size)
  }
  for (const count of counts) expect(count).toBeGreaterThan(all.size / 2)
})

test('a large one whose file is gone is lost, the others are not', async () => {
  await using folder = await temporaryFolder()
  const all = await filled(folder.path)
  await rm(join(folder.path, 'files'), { recursive: true })
  const found = await salvage(folder.path)
  expect([found.lost, found.whole.size, found.lostPages]).toEqual([['ac large'], all.size - 1, 0])
})

test('only a folder can be salvaged', async () => {
  await expect(salvageBlobs('memory:', () => {}).next()).rejects.toThrow('only lmdb:<folder> can be salvaged')
  await expect(salvageBlobs('lmdb:/nowhere', () => {}).next()).rejects.toThrow('ENOENT')
})
