import { readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder } from '@ballast/testing'
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

test('what is left of a store that lost its end is exported and imported, and what is not is told', async () => {
  await using folder = await temporaryFolder()
  const [from, to, file] = ['from', 'to', 'rest.tar'].map((name) => join(folder.path, name))
  const messages = Array.from({ length: 60 }, (_, index) => `${index} `.repeat(index % 20 === 0 ? 40_000 : 400))
  {
    await using server = await startMessageStore(from ?? '')
    for (const message of messages) expect(await post(server.url, message)).toBe(201)
    server.kill('SIGTERM')
    await server.exit
  }
  const data = `${from}/data.mdb`
  const { length } = await readFile(data)
  await truncate(data, length - 10 * 4096)
  const exporting = ['export', '--store', `lmdb:${from}`, '--file', `${file}`]
  expect((await task(...exporting)).error).toContain('data.mdb is damaged')
  const { code, last = '' } = await task(...exporting, '--salvage')
  const { entries, lostPages } = Object(JSON.parse(last))
  expect([code, entries > messages.length / 2, lostPages > 0]).toEqual([1, true, true])
  expect((await task('import', '--store', `lmdb:${to}`, '--file', `${file}`)).code).toBe(0)
  await using copy = await startMessageStore(to ?? '')
  let found = 0
  for (const message of messages) {
    const { status, body } = await get(copy.url, sha256(message))
    if (status === 404) continue
    found++
    expect(body).toBe(`{"message": ${JSON.stringify(message)}}`)
  }
  expect(found).toBe(entries)
})

test('an archive goes through a pipe, from one store into another', async () => {
  await using folder = await temporaryFolder()
  const [from, to] = ['from', 'to'].map((name) => join(folder.path, name))
  const messages = ['small', 'x'.repeat(3_000_000)]
  {
    await using server = await startMessageStore(from ?? '')
    for (const message of messages) expect(await post(server.url, message)).toBe(201)
  }
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const script = '"$0" "$1" export --store "$2" --file - | "$0" "$1" import --store "$3" --file -'
  const args = ['-c', script, process.execPath, main, `lmdb:${from}`, `lmdb:${to}`]
  await using piped = startProcess({ command: 'sh', args })
  expect(await piped.exit).toEqual({ code: 0, signal: null })
  expect(piped.stdout).toEqual(['{"entries":2,"sizeBytes":3000005}'])
  expect(piped.stderr.join('\n')).toContain('"msg":"exported"')
  await using copy = await startMessageStore(to ?? '')
  for (const message of messages) expect((await get(copy.url, sha256(message))).status).toBe(200)
})
