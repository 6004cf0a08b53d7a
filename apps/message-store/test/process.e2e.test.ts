import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { messageStoreProcess, startMessageStore } from './message-store-process.ts'
import { get, post, sha256 } from './messages-client.ts'

async function scratch(): Promise<string> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return folder.path
}

describe('a life', () => {
  test('makes its folder, keeps messages, stops on SIGTERM with 0, and has them all when it comes back', async () => {
    const folder = join(await scratch(), 'some', 'where')
    const large = 'large '.repeat(20_000)
    await using first = await startMessageStore(folder)
    expect(await post(first.url, 'small')).toBe(201)
    expect(await post(first.url, large)).toBe(201)
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
    first.kill('SIGTERM')
    await expect(first.exit).resolves.toEqual({ code: 0, signal: null })
    await using second = await startMessageStore(folder)
    for (const message of ['small', large]) {
      expect((await get(second.url, sha256(message))).body).toBe(`{"message": ${JSON.stringify(message)}}`)
      expect(await post(second.url, message)).toBe(200)
    }
  })

  test('SIGTERM drains: what was accepted is answered, and what was answered is stored', async () => {
    const folder = await scratch()
    await using first = await startMessageStore(folder)
    const messages = Array.from({ length: 60 }, (_, index) => `${index} `.repeat(index % 4 === 0 ? 30_000 : 3))
    const asked = messages.map((message) => post(first.url, message))
    await asked[0]
    first.kill('SIGTERM')
    const statuses = await Promise.all(asked)
    await expect(first.exit).resolves.toEqual({ code: 0, signal: null })
    await using second = await startMessageStore(folder)
    const stored = messages.filter((_, index) => statuses[index] === 201)
    for (const message of stored) expect((await get(second.url, sha256(message))).status).toBe(200)
    expect(stored.length).toBeGreaterThan(0)
  })

  test('a store that forgets says so', async () => {
    await using server = messageStoreProcess('--store', 'memory:', '--listen', '127.0.0.1:0')
    await server.waitForLine(/"msg":"listening"/)
    expect(server.stdout.join('\n')).toContain('messages are forgotten when this process ends')
  })
})

/** Exits with 2 and one sentence on stderr. */
async function refused(...args: string[]): Promise<string> {
  await using refusing = messageStoreProcess('--listen', '127.0.0.1:0', ...args)
  await expect(refusing.exit).resolves.toEqual({ code: 2, signal: null })
  expect(refusing.stderr).toHaveLength(1)
  return refusing.stderr[0] ?? ''
}

describe('a start that fails says in one sentence what to do', () => {
  test('a port that is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const folder = await scratch()
    expect(await refused('--store', `lmdb:${folder}`, '--listen', `127.0.0.1:${port}`)).toContain(`127.0.0.1:${port}`)
  })

  test('a folder that cannot be written', async () => {
    const file = join(await scratch(), 'file')
    await writeFile(file, 'not a folder')
    expect(await refused('--store', `lmdb:${file}/store`)).toContain(`cannot write to the folder ${file}/store`)
    expect(await readFile(file, 'utf8')).toBe('not a folder')
  })

  test('a data file that is no LMDB file is left as it is', async () => {
    const folder = await scratch()
    const data = Buffer.from('precious '.repeat(1000))
    await writeFile(join(folder, 'data.mdb'), data)
    expect(await refused('--store', `lmdb:${folder}`)).toContain(`${folder}/data.mdb is damaged or no LMDB data`)
    expect((await readFile(join(folder, 'data.mdb'))).equals(data)).toBe(true)
  })

  test('a store that was cut off is left as it is', async () => {
    const folder = await scratch()
    await using server = await startMessageStore(folder)
    for (let index = 0; index < 20; index++) await post(server.url, `${index}`.repeat(10_000))
    server.kill('SIGTERM')
    await server.exit
    const whole = await readFile(join(folder, 'data.mdb'))
    const half = whole.subarray(0, whole.length >> 1)
    await writeFile(join(folder, 'data.mdb'), half)
    expect(await refused('--store', `lmdb:${folder}`)).toContain('restore a backup or move it away')
    expect((await readFile(join(folder, 'data.mdb'))).equals(half)).toBe(true)
  })

  test('a URL that names no store, and a folder in the place of a file', async () => {
    expect(await refused('--store', 'redis://x')).toContain('"redis:" names no blob store')
    const folder = await scratch()
    await mkdir(join(folder, 'data.mdb'))
    expect(await refused('--store', `lmdb:${folder}`)).toContain('EISDIR')
  })

  test('a local cache in front of a local store', async () => {
    expect(await refused('--store', 'memory:', '--tier', 'memory:')).toContain('memory: is local itself')
  })

  test('a certificate is not overwritten', async () => {
    const folder = await scratch()
    await using first = messageStoreProcess('certificate', '--folder', folder)
    expect((await first.exit).code).toBe(0)
    const key = await readFile(join(folder, 'key.pem'), 'utf8')
    await using second = messageStoreProcess('certificate', '--folder', folder)
    expect((await second.exit).code).toBe(1)
    expect(second.stderr.join('\n')).toContain('key.pem')
    expect(await readFile(join(folder, 'key.pem'), 'utf8')).toBe(key)
  })
})
