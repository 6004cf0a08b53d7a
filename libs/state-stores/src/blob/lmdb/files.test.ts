import { glob } from 'node:fs/promises'
import type * as fs from 'node:fs/promises'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { beforeEach, expect, test, vi } from 'vitest'
import { NotAppliedError } from '../../outcome.ts'
import { bytesOf, name, readAll } from '../contract/harness.ts'
import { lmdbBlobStore } from '../lmdb.ts'

/** A file system that does what a test wants between two steps. */
const between = vi.hoisted(() => ({
  beforeUnlink: async (_path: string): Promise<void> => {},
  afterRename: async (_path: string): Promise<void> => {},
}))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>()
  return {
    ...real,
    rm: async (path: string, options: Parameters<typeof real.rm>[1]) => {
      await between.beforeUnlink(path)
      await real.rm(path, options)
    },
    rename: async (from: string, to: string) => {
      await real.rename(from, to)
      await between.afterRename(to)
    },
  }
})

const idle = { ...between }
beforeEach(() => void Object.assign(between, idle))

async function filesOf(path: string): Promise<string[]> {
  const found: string[] = []
  for await (const file of glob('files/*/*', { cwd: path })) found.push(file)
  return found
}

const large = bytesOf(1, 100_000)
const key = name('k')

test('the unlink of a removed file may come late: a put of the same bytes has a file of its own', async () => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path })
  await store.put({ name: key }, [large])
  const gate = Promise.withResolvers<void>()
  let waiting = false
  between.beforeUnlink = async (path) => {
    if (!path.includes('/files/') || waiting) return
    waiting = true
    await gate.promise
  }
  const removing = store.remove([key])
  await waitUntil(() => waiting)
  expect((await store.put({ name: key }, [large])).outcome).toBe('created')
  gate.resolve()
  expect(await removing).toEqual(['removed'])
  expect((await readAll(await store.open(key)))?.equals(large)).toBe(true)
})

test('a file that is gone before it is recorded is not acknowledged', async () => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path })
  const { rmSync } = await import('node:fs')
  between.afterRename = async (path) => rmSync(path)
  await expect(store.put({ name: key }, [large])).rejects.toThrow(NotAppliedError)
  expect(await store.open(key)).toBeUndefined()
})

test('when the folder cannot be written a put is not applied, and says where', async () => {
  await using folder = await temporaryFolder()
  await using store = await lmdbBlobStore({ path: folder.path })
  between.afterRename = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
  const failing = store.put({ name: key }, [large])
  await expect(failing).rejects.toThrow(NotAppliedError)
  await expect(failing).rejects.toThrow(`${folder.path}/incoming/`)
  expect(await store.open(key)).toBeUndefined()
})

test('what cannot be unlinked after the commit does not turn it into an error, and is swept at the next start', async () => {
  await using folder = await temporaryFolder()
  const first = await lmdbBlobStore({ path: folder.path })
  const other = bytesOf(2, 100_000)
  await first.put({ name: key }, [large])
  between.beforeUnlink = () => Promise.reject(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }))
  expect((await first.put({ name: key }, [other])).outcome).toBe('replaced')
  expect((await readAll(await first.open(key)))?.equals(other)).toBe(true)
  expect((await first.put({ name: key }, [other])).outcome).toBe('exists')
  expect(await first.remove([key])).toEqual(['removed'])
  expect((await first.put({ name: key }, [large])).outcome).toBe('created')
  Object.assign(between, idle)
  await first.close()
  expect(await filesOf(folder.path)).toHaveLength(3)
  await using second = await lmdbBlobStore({ path: folder.path })
  expect((await readAll(await second.open(key)))?.equals(large)).toBe(true)
  expect(await filesOf(folder.path)).toHaveLength(1)
})
