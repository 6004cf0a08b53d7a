import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { messageStoreProcess, startMessageStore } from './message-store-process.ts'
import { get, post, sha256 } from './messages-client.ts'

async function task(...args: string[]): Promise<{ code: number | null; last: string | undefined; error: string }> {
  await using started = messageStoreProcess(...args)
  const { code } = await started.exit
  return { code, last: started.stdout.at(-1), error: started.stderr.join('\n') }
}

test('all messages go into an archive beside a running service, and into another store', async () => {
  await using folder = await temporaryFolder()
  const [from, to, file] = ['from', 'to', 'all.tar'].map((name) => join(folder.path, name))
  const messages = ['small', 'x'.repeat(300_000)]
  await using server = await startMessageStore(from ?? '')
  for (const message of messages) expect(await post(server.url, message)).toBe(201)
  const exporting = ['export', '--store', `lmdb:${from}`, '--file', `${file}`]
  expect(await task(...exporting)).toMatchObject({ code: 0, last: '{"entries":2,"sizeBytes":300005,"damaged":0}' })
  const before = await readFile(`${file}`)
  const again = await task(...exporting)
  expect([again.code === 0, again.error.includes('EEXIST')]).toEqual([false, true])
  expect((await readFile(`${file}`)).equals(before)).toBe(true)
  const imported = await task('import', '--store', `lmdb:${to}`, '--file', `${file}`)
  expect(imported).toMatchObject({ code: 0, last: '{"entries":2,"sizeBytes":300005}' })
  await using copy = await startMessageStore(to ?? '')
  for (const message of messages) {
    expect((await get(copy.url, sha256(message))).body).toBe(`{"message": ${JSON.stringify(message)}}`)
  }
})
