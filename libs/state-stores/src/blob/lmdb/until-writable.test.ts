import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { name, readAll } from '../contract/harness.ts'
import { lmdbBlobStore } from '../lmdb.ts'
import { MemoryBlobStore } from '../memory.ts'
import type { BlobStore } from '../port.ts'
import { UntilWritable } from './until-writable.ts'

const why = new Error('no writes')

async function holding(text: string): Promise<MemoryBlobStore> {
  const store = new MemoryBlobStore()
  await store.putSmall([{ name: name('k'), bytes: Buffer.from(text) }])
  return store
}

async function lmdbHolding(path: string, text: string): Promise<BlobStore> {
  const store = await lmdbBlobStore({ path })
  await store.putSmall([{ name: name('k'), bytes: Buffer.from(text) }])
  return store
}

const read = async (store: BlobStore): Promise<string> => String(await readAll(await store.open(name('k'))))

test('it is opened anew when its folder can be written; who asks meanwhile waits, and who was asking is waited for', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'later')
  const first = await holding('first')
  const slow = Promise.withResolvers<void>()
  const stat = first.stat.bind(first)
  Object.assign(first, { stat: async (names: Parameters<typeof stat>[0]) => (await slow.promise, stat(names)) })
  const opened = Promise.withResolvers<BlobStore>()
  let opening = 0
  await using store = new UntilWritable(first, {
    path,
    retryEveryMs: 5,
    open: () => (opening++, opened.promise),
    openReadOnly: () => Promise.reject(why),
  })
  expect(await read(store)).toBe('first')
  const asking = store.stat([name('k')])
  await mkdir(path)
  const [before] = await Promise.all([asking, waitUntil(() => store.usage() !== undefined).then(() => slow.resolve())])
  expect(before[0]?.sizeBytes).toBe(5)
  await waitUntil(() => opening === 1)
  // Closed, and not yet replaced.
  await expect(first.remove([name('k')])).rejects.toThrow('closed')
  expect(store.usage()).toMatchObject({ entries: 1, sizeBytes: 5 })
  const meanwhile = read(store)
  opened.resolve(await holding('second'))
  expect(await meanwhile).toBe('second')
  expect((await store.putSmall([{ name: name('new'), bytes: Buffer.from('n') }]))[0]?.outcome).toBe('created')
  expect(opening).toBe(1)
})

test('an opening that fails leaves what can be read, and is tried again', async () => {
  await using folder = await temporaryFolder()
  let opening = 0
  const reasons: Error[] = []
  await using store = new UntilWritable(await holding('first'), {
    path: folder.path,
    retryEveryMs: 5,
    open: () => (++opening < 3 ? Promise.reject(why) : holding('third')),
    openReadOnly: (reason) => (reasons.push(reason), holding('again')),
  })
  await waitUntil(async () => (await read(store)) === 'again')
  await waitUntil(async () => (await read(store)) === 'third')
  expect(reasons).toEqual([why, why])
})

test('a scrub that is being slowed down keeps nobody waiting: its page is left, and begun again', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'later')
  await using store = new UntilWritable(await lmdbHolding(join(folder.path, 'first'), 'first'), {
    path,
    retryEveryMs: 5,
    open: () => lmdbHolding(join(folder.path, 'second'), 'second'),
    openReadOnly: () => Promise.reject(why),
  })
  const paced: number[] = []
  const page = store.scrub({
    limit: 10,
    // For ever in the first store.
    pace: (sizeBytes) => (paced.push(sizeBytes) === 1 ? new Promise(() => {}) : Promise.resolve()),
  })
  await waitUntil(() => paced.length === 1)
  expect(await read(store)).toBe('first')
  await mkdir(path)
  await waitUntil(async () => (await read(store)) === 'second')
  expect(await page).toEqual({ blobs: 1, sizeBytes: 6, damaged: 0 })
  expect(paced).toEqual([5, 6])
})

test('an error of the pace ends a scrub', async () => {
  await using folder = await temporaryFolder()
  await using store = new UntilWritable(await lmdbHolding(join(folder.path, 'first'), 'first'), {
    path: join(folder.path, 'never'),
    retryEveryMs: 1_000,
    open: () => Promise.reject(why),
    openReadOnly: () => Promise.reject(why),
  })
  await expect(store.scrub({ limit: 10, pace: () => Promise.reject(new Error('stop')) })).rejects.toThrow('stop')
})
