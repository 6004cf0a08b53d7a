import { readFileSync } from 'node:fs'
import { open, readFile, stat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { realFileSystem } from './file-system.ts'
import { ensureFolder, replaceFile } from './replace-file.ts'

async function scratch(): Promise<string> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return folder.path
}

/** All handles share it, so what is put there is seen by the code under test. */
async function handlePrototype(): Promise<FileHandle> {
  await using handle = await open(import.meta.filename)
  return Object.getPrototypeOf(handle) as FileHandle
}

/** The inodes that were really synced, in order. */
async function watchSyncs(): Promise<number[]> {
  const prototype = await handlePrototype()
  const inodes: number[] = []
  vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    inodes.push((await this.stat()).ino)
    return this.datasync()
  })
  return inodes
}

test('replacing a file syncs the file that gets its name, then its folder', async () => {
  const folder = await scratch()
  const path = join(folder, 'x')
  const inodes = await watchSyncs()
  await replaceFile(realFileSystem, path, [Buffer.from('first')])
  const { ino } = await stat(path)
  expect(inodes).toEqual([ino, (await stat(folder)).ino])
  await replaceFile(realFileSystem, path, [Buffer.from('sec'), Buffer.from('ond')])
  expect(readFileSync(path, 'utf8')).toBe('second')
  expect((await stat(path)).ino).not.toBe(ino)
})

test('each new folder is synced in its parent', async () => {
  const folder = await scratch()
  const inodes = await watchSyncs()
  await ensureFolder(realFileSystem, join(folder, 'a', 'b'))
  expect(inodes).toEqual([(await stat(folder)).ino, (await stat(join(folder, 'a'))).ino])
  await ensureFolder(realFileSystem, join(folder, 'a', 'b'))
  expect(inodes).toHaveLength(2)
})

test('syncFile and syncFolder sync what they name', async () => {
  const folder = await scratch()
  const path = join(folder, 'x')
  await replaceFile(realFileSystem, path, [Buffer.from('x')])
  const inodes = await watchSyncs()
  await realFileSystem.syncFile(path)
  await realFileSystem.syncFolder(folder)
  expect(inodes).toEqual([(await stat(path)).ino, (await stat(folder)).ino])
})

test('a write that the system cuts short is completed', async () => {
  const path = join(await scratch(), 'x')
  const prototype = await handlePrototype()
  vi.spyOn(prototype, 'writev').mockImplementation(async function (this: FileHandle, buffers) {
    const all = Buffer.concat(buffers.map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)))
    const { bytesWritten } = await this.write(all, 0, 5)
    return { bytesWritten, buffers }
  })
  await replaceFile(
    realFileSystem,
    path,
    ['0123', '4567', '89'].map((text) => Buffer.from(text)),
  )
  await expect(readFile(path, 'utf8')).resolves.toBe('0123456789')
})

test('creating a file that exists makes a new one, and leaves the old inode to whoever has it open', async () => {
  const path = join(await scratch(), 'x')
  const first = await realFileSystem.create(path)
  const second = await realFileSystem.create(path)
  await first.write([Buffer.from('into the old one')])
  await second.write([Buffer.from('new')])
  await Promise.all([first.close(), second.close()])
  await expect(readFile(path, 'utf8')).resolves.toBe('new')
})

test('reading and removing a file that does not exist is no error', async () => {
  const path = join(await scratch(), 'x')
  await realFileSystem.remove(path)
  await expect(realFileSystem.read(path)).resolves.toBeUndefined()
  await expect(realFileSystem.read(join(path, '..'))).rejects.toThrow('EISDIR')
})

test('a file that was changed just now is another one at every look, as a tick of the clock may hide a second change', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'file')
  const file = await realFileSystem.create(path)
  await file.close()
  expect(await realFileSystem.identity(path)).not.toBe(await realFileSystem.identity(path))
  await waitUntil(async () => (await realFileSystem.identity(path)) === (await realFileSystem.identity(path)))
})
