import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { messageStoreProcess, startMessageStore } from './message-store-process.ts'
import { get, post, sha256 } from './messages-client.ts'

test('a full cache forgets its oldest, full repositories refuse, and messages stay', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(
    folder.path,
    '--family-quotas',
    'nx=250KiB,restic=250KiB',
    '--quota-bytes',
    '1MiB',
  )
  const put = async (path: string, seed: number, method = 'PUT') => {
    const body = Buffer.alloc(100 * 1024, seed)
    return (await fetch(`${server.url}${path.replace('*', sha256(body.toString('latin1')))}`, { method, body })).status
  }
  const has = async (key: number) =>
    (await fetch(`${server.url}/nx/v1/cache/${key}`, { method: 'HEAD' })).status === 200
  expect(await post(server.url, 'precious')).toBe(201)
  for (const key of [1, 2, 3]) expect(await put(`/nx/v1/cache/${key}`, key)).toBe(200)
  expect(await Promise.all([1, 2, 3].map(has))).toEqual([false, true, true])
  const restic = [4, 5, 6].map((seed) => () => put('/restic/repo/data/*', seed, 'POST'))
  const statuses: number[] = []
  for (const send of restic) statuses.push(await send())
  expect(statuses).toEqual([200, 200, 507])
  // The store as a whole: the cache makes room for what is kept, until that alone does not fit.
  for (const seed of [7, 8, 9, 10, 11, 12, 13]) expect(await put('/cas/*', seed)).toBe(201)
  expect(await Promise.all([2, 3].map(has))).toEqual([false, true])
  expect(await put('/cas/*', 14)).toBe(201)
  expect(await put('/cas/*', 15)).toBe(507)
  expect(await has(3)).toBe(false)
  expect((await get(server.url, sha256('precious'))).status).toBe(200)
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).toMatch(/^message_store_family_bytes\{family="restic".*\} 204800$/m)
  expect(metrics).toMatch(/^message_store_family_entries\{family="cas".*\} 8$/m)
})

test('a policy that cannot be is one sentence', async () => {
  await using refusing = messageStoreProcess('--store', 'memory:', '--listen', '127.0.0.1:0', '--evict', 'messages')
  await expect(refusing.exit).resolves.toEqual({ code: 2, signal: null })
  expect(refusing.stderr.join('\n')).toContain('--evict takes bazel')
})

test('with --compression zstd bytes take less on the disk, and are served as they came', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path, '--compression', 'zstd')
  const bytes = Buffer.alloc(2 ** 20, 'once more ')
  const url = `${server.url}/cas/${sha256(bytes.toString())}`
  expect((await fetch(url, { method: 'PUT', body: bytes })).status).toBe(201)
  const stored = await readdir(join(folder.path, 'files'), { recursive: true, withFileTypes: true })
  const file = stored.find((each) => each.isFile())
  expect((await stat(join(file?.parentPath ?? '', file?.name ?? ''))).size).toBeLessThan(20_000)
  const whole = await fetch(url)
  expect(whole.headers.get('content-encoding')).toBe(null)
  expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true)
  const part = await fetch(url, { headers: { range: 'bytes=300000-300009' } })
  expect([part.status, await part.text()]).toEqual([206, bytes.toString('utf8', 300_000, 300_010)])
})
