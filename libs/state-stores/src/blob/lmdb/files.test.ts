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
