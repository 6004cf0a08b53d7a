import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitUntil } from '@ballast/testing'
import { needsRoot, volume } from '@ballast/testing/volume'
import { expect, test } from 'vitest'
import { startCounter } from './counter-process.ts'

const count = async (url: string): Promise<unknown> => {
  const answer = await fetch(url, { method: 'POST' })
  const { code, counter } = Object(await answer.json())
  return [answer.status, code ?? counter]
}

test('a full disk: writes are refused with 507, reads go on, and all is well when there is room', async ({ skip }) => {
  const { path } = (await volume(256)) ?? skip(needsRoot)
  await using counter = await startCounter(join(path, 'counter.json'))
  expect(await count(counter.url)).toEqual([200, 1])
  const ballast = join(path, 'ballast')
  await writeFile(ballast, Buffer.alloc(1 << 20)).catch(() => {})
  await waitUntil(async () => String(await count(counter.url)) === '507,store-full')
  const before = await (await fetch(counter.url)).json()
  await rm(ballast)
  const expected = [200, Object(before).counter + 1]
  await waitUntil(async () => String(await count(counter.url)) === String(expected))
  expect((await fetch(`${counter.url}/readyz`)).status).toBe(200)
})

test.for([[], ['--workers', '2']])(
  'a read-only volume: not ready, says why, and is well by itself when it can be written %j',
  async (args, { skip }) => {
    const { path, remount } = (await volume(256)) ?? skip(needsRoot)
    remount('ro')
    await using counter = await startCounter(join(path, 'counter.json'), ...args)
    const ready = await fetch(`${counter.url}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('EROFS')])
    expect(await count(counter.url)).toEqual([503, 'store-read-only'])
    expect((await fetch(counter.url)).status).toBe(503)
    remount('rw')
    await waitUntil(async () => String(await count(counter.url)) === '200,1')
    expect((await fetch(`${counter.url}/readyz`)).status).toBe(200)
  },
)

test('a volume that becomes read-only: writes are refused as not applied, reads go on', async ({ skip }) => {
  const { path, remount } = (await volume(256)) ?? skip(needsRoot)
  await using counter = await startCounter(join(path, 'counter.json'))
  expect(await count(counter.url)).toEqual([200, 1])
  // A process that has a file open for writing keeps a volume from becoming so, unless it is forced to.
  const remounted = (() => {
    try {
      remount('ro')
      return true
    } catch {
      return false
    }
  })()
  if (!remounted) skip('the kernel refuses to make a volume read-only while its lock is held')
  expect(await count(counter.url)).toEqual([503, 'store-read-only'])
  await expect((await fetch(counter.url)).json()).resolves.toEqual({ counter: 1 })
  remount('rw')
  await waitUntil(async () => String(await count(counter.url)) === '200,2')
})
