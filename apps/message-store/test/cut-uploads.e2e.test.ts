import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore, type MessageStoreProcess } from './message-store-process.ts'

const bytes = Buffer.alloc(300_000, 'abc')
const path = `/cas/${createHash('sha256').update(bytes).digest('hex')}`

interface Exchange {
  readonly answer: string
  readonly closed: boolean
}

/** Sends bytes as they are, and after the last ones perhaps leaves; resolves when the server closed or has answered. */
async function exchange(
  { url }: MessageStoreProcess,
  pieces: readonly (string | Buffer)[],
  leave: boolean,
): Promise<Exchange> {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname).on('error', () => {})
  let answer = ''
  let closed = false
  socket.on('data', (piece: Buffer) => (answer += piece.toString('latin1'))).on('close', () => (closed = true))
  for (const piece of pieces) await new Promise<unknown>((resolve) => socket.write(piece, resolve))
  if (leave) socket.resetAndDestroy()
  await waitUntil(() => closed || answer.includes('\r\n\r\n'))
  const result = { answer, closed }
  socket.destroy()
  return result
}

const head = (...lines: string[]): string => ['PUT ' + path + ' HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n')
const metric = async ({ url }: MessageStoreProcess, name: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'm').exec(text)?.[1])
}

const chunk = (piece: Buffer): Buffer[] => [Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]

test('uploads that are cut, or are not what they say, leave nothing and hang on nothing', async () => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path, '--max-blob-bytes', '1MiB')
  for (const cut of [0, 1, 65_536, 65_537, 299_999]) {
    await exchange(server, [head('Content-Length: 300000'), bytes.subarray(0, cut)], true)
    await exchange(server, [head('Transfer-Encoding: chunked'), ...chunk(bytes.subarray(0, cut || 1))], true)
  }
  const refused: [string, readonly (string | Buffer)[], number][] = [
    ['a length that is too short', [head('Content-Length: 299999'), bytes], 400],
    ['no number', [head('Content-Length: many'), bytes], 400],
    ['two lengths', [head('Content-Length: 300000', 'Content-Length: 5'), bytes], 400],
    ['a length and chunks', [head('Content-Length: 300000', 'Transfer-Encoding: chunked'), bytes], 400],
    ['chunks that are none', [head('Transfer-Encoding: chunked'), 'nonsense\r\n', bytes], 400],
    ['other bytes', [head('Content-Length: 300000'), Buffer.alloc(300_000)], 422],
    ['more than the limit, announced', [head('Content-Length: 2000000'), Buffer.alloc(1_200_000)], 413],
    ['an unknown coding', [head('Content-Length: 300000', 'Content-Encoding: br'), bytes], 415],
    ['a coding that it has not', [head('Content-Length: 300000', 'Content-Encoding: zstd'), bytes], 400],
  ]
  for (const [what, pieces, status] of refused) {
    const { answer } = await exchange(server, pieces, false)
    expect([what, answer.split('\r\n', 1)[0]]).toEqual([what, expect.stringContaining(` ${status} `)])
  }
  // Who announces more than is worth reading to be polite is told that it ends here.
  const endless = [head('Content-Length: 99999999999', 'Content-Encoding: br'), Buffer.alloc(3_000_000)]
  expect((await exchange(server, endless, false)).answer).toMatch(/^HTTP\/1.1 415 [^]*\r\nconnection: close\r\n/i)
  await waitUntil(async () => (await metric(server, 'http_server_requests_in_flight')) === 1)
  expect(await metric(server, 'message_store_messages')).toBe(0)
  const instance = (await readdir(join(folder.path, 'incoming'))).find((name) => !name.endsWith('.lock')) ?? ''
  await waitUntil(async () => (await readdir(join(folder.path, 'incoming', instance))).length === 0)

  const { answer } = await exchange(server, [head('Content-Length: 300000'), bytes], false)
  expect(answer).toContain(' 201 ')
})
