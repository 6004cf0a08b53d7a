import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { startProcess, temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore, type MessageStoreProcess } from './message-store-process.ts'
import { get, post, sha256 } from './messages-client.ts'

const strace = spawnSync('strace', ['-V']).status === 0
const large = 'large '.repeat(60_000)

/** While it is in use, these calls of the process fail, in all its threads; all, or those on one file. */
async function failing(
  { pid }: MessageStoreProcess,
  calls: string,
  error: string,
  file?: string,
): Promise<AsyncDisposable> {
  const inject = `inject=${calls}:error=${error}`
  const on = file === undefined ? [] : ['-P', file]
  const tracer = startProcess({
    command: 'strace',
    args: ['-f', '-o', '/dev/null', ...on, '-e', `trace=${calls}`, '-e', inject, '-p', `${pid}`],
  })
  await tracer.waitForLine(/attached/)
  return {
    async [Symbol.asyncDispose]() {
      tracer.kill('SIGINT')
      await tracer.exit
      await tracer[Symbol.asyncDispose]()
    },
  }
}

async function answer(url: string, init?: RequestInit): Promise<unknown> {
  const { status, headers, body } = await fetch(url, init).then(async (got) => ({
    status: got.status,
    headers: got.headers,
    body: got.headers.get('content-type')?.includes('problem') === true ? Object(await got.json()) : await got.text(),
  }))
  return headers.get('content-type')?.includes('problem') === true ? [status, body.code] : status
}

const posting = (message: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message }),
})

test.skipIf(!strace)('a disk that cannot be read: 503, and the bytes again when it can', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  expect(await post(server.url, large)).toBe(201)
  const url = `${server.url}/messages/${sha256(large)}`
  {
    await using _ = await failing(server, 'pread64,preadv,preadv2,readv', 'EIO')
    expect(await answer(url)).toEqual([503, 'store-unavailable'])
    expect(await answer(url, { headers: { range: 'bytes=5-9' } })).toEqual([503, 'store-unavailable'])
    // Whether the copy that is there is whole cannot be told, so the same message is not taken for stored either.
    expect(await answer(`${server.url}/messages`, posting(large))).toEqual([503, 'not-applied'])
  }
  // Nothing was taken for damage.
  expect((await get(server.url, sha256(large))).body).toBe(`{"message": ${JSON.stringify(large)}}`)
})

const failures = [
  ['EIO', 'not-applied', 503],
  ['EROFS', 'store-read-only', 503],
  ['ENOSPC', 'store-full', 507],
] as const

test.skipIf(!strace)(
  'a disk that takes no writes: what is wrong is said, reads go on, and all is well after',
  async () => {
    await using folder = await temporaryFolder()
    await using server = await startMessageStore(folder.path)
    const kept = ['small', large]
    for (const message of kept) expect(await post(server.url, message)).toBe(201)
    for (const [error, code, status] of failures) {
      const fresh = `new to ${error}`
      {
        await using _ = await failing(server, 'pwrite64,pwritev,writev', error, join(folder.path, 'data.mdb'))
        expect(await answer(`${server.url}/messages`, posting(fresh))).toEqual([status, code])
        expect(await answer(`${server.url}/messages`, posting(`${fresh} ${large}`))).toEqual([status, code])
        const removed = await answer(`${server.url}/messages/${sha256('small')}`, { method: 'DELETE' })
        expect(removed).toEqual([status, code])
        for (const message of kept) {
          expect((await get(server.url, sha256(message))).body).toBe(`{"message": ${JSON.stringify(message)}}`)
        }
      }
      await waitUntil(async () => (await post(server.url, fresh)) === 201)
      expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    }
    expect((await get(server.url, sha256('small'))).status).toBe(200)
  },
)
