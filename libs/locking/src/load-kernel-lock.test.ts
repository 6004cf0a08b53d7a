import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { loadKernelLock, loadKernelLockNamed, type KernelLockSource } from './load-kernel-lock.ts'

const broken = (name: string): KernelLockSource => ({
  name,
  load: () => Promise.reject(new Error('no binary')),
})

test('koffi takes over where fs-native-extensions does not load', async () => {
  const koffi = await loadKernelLockNamed('koffi')
  const fallback: KernelLockSource = { name: 'koffi', load: () => Promise.resolve(koffi) }
  await expect(loadKernelLock([broken('fs-native-extensions'), fallback])).resolves.toBe(koffi)
})

test('a system on which none loads is told so, with the reasons', async () => {
  await expect(loadKernelLock([broken('one'), broken('two')])).rejects.toThrow('one: no binary; two: no binary')
})

test('both kinds exclude each other, whoever came first', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'x.lock')
  const kinds = [await loadKernelLockNamed('fs-native-extensions'), await loadKernelLockNamed('koffi')] as const
  for (const [holder, other] of [kinds, [kinds[1], kinds[0]] as const]) {
    await using one = await open(path, 'a+')
    await using two = await open(path, 'a+')
    expect(holder.tryLock(one.fd)).toBe(true)
    expect(other.tryLock(two.fd)).toBe(false)
    const waiting = other.waitForLock(two.fd)
    holder.unlock(one.fd)
    await waiting
    expect(holder.tryLock(one.fd)).toBe(false)
    other.unlock(two.fd)
    expect(holder.tryLock(one.fd)).toBe(true)
  }
})

test('a descriptor that is none is an error, not a lock that is taken', async () => {
  const koffi = await loadKernelLockNamed('koffi')
  expect(() => koffi.tryLock(1_000_000)).toThrow('error number 9')
  expect(() => koffi.unlock(1_000_000)).toThrow('error number 9')
})
