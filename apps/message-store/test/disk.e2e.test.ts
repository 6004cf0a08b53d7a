import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitUntil } from '@ballast/testing'
import { needsRoot, volume } from '@ballast/testing/volume'
import { expect, test } from 'vitest'
import { messageStoreProcess, startMessageStore } from './message-store-process.ts'
import { get, remove, sha256 } from './messages-client.ts'

const large = 'large '.repeat(20_000)

/** Status and, where there is one, the code of the problem. */
async function write(url: string, message: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${url}/messages`, { method: 'POST', headers, body: JSON.stringify({ message }) })
  const { code } = Object(await answer.json())
  return code ?? answer.status
}

async function ready(url: string): Promise<[number, string]> {
  const answer = await fetch(`${url}/readyz`)
  return [answer.status, await answer.text()]
}

async function expectReadable(url: string, messages: readonly string[]): Promise<void> {
  for (const message of messages) {
    expect(await get(url, sha256(message))).toEqual({ status: 200, body: `{"message": ${JSON.stringify(message)}}` })
  }
}

test('a full disk: 507, reads go on, also after a start, and all is well when there is room', async ({ skip }) => {
  const { path } = (await volume(4_096)) ?? skip(needsRoot)
  const folder = join(path, 'store')
  const kept = ['small', large]
  let next = 0
  const fresh = (): string => `${next++} `.padEnd(30_000, '-')
  {
    await using server = await startMessageStore(folder)
    for (const message of kept) expect(await write(server.url, message)).toBe(201)
    await writeFile(join(path, 'ballast'), Buffer.alloc(4 << 20)).catch(() => {})
    await waitUntil(async () => (await write(server.url, fresh())) === 'store-full')
    expect(await write(server.url, `other ${large}`)).toBe('store-full')
    await expectReadable(server.url, kept)
    const blob = Buffer.alloc(500_000, 'blob')
    const put = await fetch(`${server.url}/ac/blob`, { method: 'PUT', body: blob })
    expect([put.status, await put.json()]).toEqual([507, expect.objectContaining({ code: 'store-full' })])
    expect(await (await fetch(`${server.url}/metrics`)).text()).toMatch(
      /^message_store_puts_total\{.*"full".*\} [1-9]/m,
    )
    server.kill('SIGTERM')
    await server.exit
  }
  await using server = await startMessageStore(folder)
  await expectReadable(server.url, kept)
  await waitUntil(async () => (await write(server.url, fresh())) === 'store-full')
  await rm(join(path, 'ballast'))
  await waitUntil(async () => (await write(server.url, fresh())) === 201)
  expect(await write(server.url, `other ${large}`)).toBe(201)
  expect((await ready(server.url))[0]).toBe(200)
  await expectReadable(server.url, kept)
})

test('a read-only volume: reads go on, writes and /readyz say so, and all is well when it can be written', async ({
  skip,
}) => {
  const { path, remount } = (await volume(8_192)) ?? skip(needsRoot)
  const folder = join(path, 'store')
  const kept = ['small', large]
  {
    await using server = await startMessageStore(folder)
    for (const message of kept) expect(await write(server.url, message)).toBe(201)
    server.kill('SIGTERM')
    await server.exit
  }
  remount('ro')
  await using server = await startMessageStore(folder)
  await server.waitForLine(/the store is not ready/)
  await expectReadable(server.url, kept)
  expect(await write(server.url, 'new')).toBe('store-read-only')
  expect(await write(server.url, `new ${large}`)).toBe('store-read-only')
  // As the database knows it, nothing was changed.
  expect(await remove(server.url, sha256('small'))).toBeUndefined()
  expect(await ready(server.url)).toEqual([503, expect.stringContaining('EROFS')])
  expect((await fetch(`${server.url}/metrics`)).status).toBe(200)
  remount('rw')
  await waitUntil(async () => (await write(server.url, 'new')) === 201)
  expect((await ready(server.url))[0]).toBe(200)
  await expectReadable(server.url, [...kept, 'new'])
  expect(await remove(server.url, sha256('small'))).toBe(200)
})

test('a volume can be written again while a slow scrub runs: nobody waits for that', async ({ skip }) => {
  const { path, remount } = (await volume(65_536)) ?? skip(needsRoot)
  const folder = join(path, 'store')
  const blobs = Array.from({ length: 20 }, (_, index) => Buffer.alloc(1 << 20, `blob ${index} `))
  {
    await using server = await startMessageStore(folder)
    for (const blob of blobs) await fetch(`${server.url}/cas/${sha256(blob.toString())}`, { method: 'PUT', body: blob })
    expect(await write(server.url, 'kept')).toBe(201)
    server.kill('SIGTERM')
    await server.exit
  }
  remount('ro')
  // Each blob takes 16 s.
  await using server = await startMessageStore(folder, '--scrub-every-ms', '500', '--scrub-bytes-per-second', '64KiB')
  await waitUntil(async () =>
    /^message_store_scrubbed_bytes_total(\{.*\})? [1-9]/m.test(await (await fetch(`${server.url}/metrics`)).text()),
  )
  remount('rw')
  let slowestMs = 0
  await waitUntil(async () => {
    const startedMs = performance.now()
    await expectReadable(server.url, ['kept'])
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
    return (await write(server.url, 'new')) === 201
  })
  expect(slowestMs).toBeLessThan(20_000)
})

test('a read-only volume without a store is refused in one sentence', async ({ skip }) => {
  const { path, remount } = (await volume(1_024)) ?? skip(needsRoot)
  remount('ro')
  await using server = messageStoreProcess('--listen', '127.0.0.1:0', '--store', `lmdb:${path}/store`)
  expect(await server.exit).toEqual({ code: 2, signal: null })
  expect(server.stderr).toEqual([expect.stringContaining(`cannot write to the folder ${path}/store`)])
})
