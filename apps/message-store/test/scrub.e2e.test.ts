import { glob, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { messageStoreProcess, startMessageStore } from './message-store-process.ts'
import { post, sha256 } from './messages-client.ts'

const message = 'x'.repeat(600_000)

async function flipFile(folder: string): Promise<void> {
  for await (const name of glob(`files/*/${sha256(message)}-*`, { cwd: folder })) {
    await using file = await open(join(folder, name), 'r+')
    await file.write(Buffer.from('y'), 0, 1, 599_999)
  }
}

test('a running service finds a flipped bit that nobody reads', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(
    folder.path,
    '--scrub-every-ms',
    '100',
    '--scrub-bytes-per-second',
    '100MiB',
  )
  expect(await post(server.url, message)).toBe(201)
  await flipFile(folder.path)
  await server.waitForLine(/a stored message is damaged/)
  await waitUntil(async () => (await readdir(join(folder.path, 'damaged'))).length === 1)
  expect((await fetch(`${server.url}/messages/${sha256(message)}`)).status).toBe(500)
})

test('verify says what it read, beside a running service; 1 when something is damaged', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  for (const each of ['small', message]) expect(await post(server.url, each)).toBe(201)
  const verify = async () => {
    await using task = messageStoreProcess('verify', '--store', `lmdb:${folder.path}`)
    const { code } = await task.exit
    return { code, last: task.stdout.at(-1), all: task.stdout.join('\n') }
  }
  expect(await verify()).toMatchObject({ code: 0, last: '{"blobs":2,"sizeBytes":600005,"damaged":0}' })
  await flipFile(folder.path)
  const damaged = await verify()
  expect(damaged).toMatchObject({ code: 1, last: '{"blobs":2,"sizeBytes":5,"damaged":1}' })
  expect(damaged.all).toContain(sha256(message))
})
