import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { startCounter } from './counter-process.ts'

/** A volume of its own, which only root can mount. */
async function volume(options: string): Promise<string | undefined> {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'volume')
  mkdirSync(path)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'ignore' })
  } catch {
    await folder[Symbol.asyncDispose]()
    return undefined
  }
  onTestFinished(async () => {
    execFileSync('umount', ['-l', path])
    await folder[Symbol.asyncDispose]()
  })
  return path
}

const needsRoot = 'no volume can be mounted here: run this as root'
const count = async (url: string): Promise<unknown> => {
  const answer = await fetch(url, { method: 'POST' })
  const { code, counter } = Object(await answer.json())
  return [answer.status, code ?? counter]
}

test('a full disk: writes are refused with 507, reads go on, and all is well when there is room', async ({ skip }) => {
  const path = (await volume('size=256k')) ?? skip(needsRoot)
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
    const path = (await volume('size=256k')) ?? skip(needsRoot)
    execFileSync('mount', ['-o', 'remount,ro', path], { stdio: 'ignore' })
    await using counter = await startCounter(join(path, 'counter.json'), ...args)
    const ready = await fetch(`${counter.url}/readyz`)
    expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('EROFS')])
    expect(await count(counter.url)).toEqual([503, 'store-read-only'])
    expect((await fetch(counter.url)).status).toBe(503)
    execFileSync('mount', ['-o', 'remount,rw', path], { stdio: 'ignore' })
    await waitUntil(async () => String(await count(counter.url)) === '200,1')
    expect((await fetch(`${counter.url}/readyz`)).status).toBe(200)
  },
)

test('a volume that becomes read-only: writes are refused as not applied, reads go on', async ({ skip }) => {
  const path = (await volume('size=256k')) ?? skip(needsRoot)
  await using counter = await startCounter(join(path, 'counter.json'))
  expect(await count(counter.url)).toEqual([200, 1])
  // A process that has a file open for writing keeps a volume from becoming so, unless it is forced to.
  const remounted = (() => {
    try {
      execFileSync('mount', ['-o', 'remount,ro', path], { stdio: 'ignore' })
      return true
    } catch {
      return false
    }
  })()
  if (!remounted) skip('the kernel refuses to make a volume read-only while its lock is held')
  expect(await count(counter.url)).toEqual([503, 'store-read-only'])
  await expect((await fetch(counter.url)).json()).resolves.toEqual({ counter: 1 })
  execFileSync('mount', ['-o', 'remount,rw', path], { stdio: 'ignore' })
  await waitUntil(async () => String(await count(counter.url)) === '200,2')
})
