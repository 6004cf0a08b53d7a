import { glob, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore } from './message-store-process.ts'
import { get, post, sha256 } from './messages-client.ts'

const chunkBytes = 256 * 1024
const message = '0123456789abcdef'.repeat((5 * chunkBytes) / 16)
const digest = sha256(message)

async function flip(folder: string, at: number): Promise<void> {
  for await (const name of glob(`files/*/${digest}-*`, { cwd: folder })) {
    await using file = await open(join(folder, name), 'r+')
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
    await file.write(Buffer.from([(buffer[0] ?? 0) ^ 0x20]), 0, 1, at)
    return
  }
  throw new Error(`no file of ${digest}`)
}

test.each([
  ['first', 10],
  ['third', 2 * chunkBytes + 5],
  ['last', 5 * chunkBytes - 1],
])('a bit that flipped in the %s chunk of a file is never given out', async (_, at) => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  expect(await post(server.url, message)).toBe(201)
  await flip(folder.path, at)

  // Either a problem or a transfer that is cut off; never a whole answer, never a wrong byte.
  const received: Buffer[] = []
  const reading = (async () => {
    const answer = await fetch(`${server.url}/messages/${digest}`)
    for await (const piece of answer.body ?? []) received.push(Buffer.from(piece))
    return answer.status
  })()
  const status = await reading.catch(() => 'cut off')
  expect(status).toBe(at < chunkBytes ? 500 : 'cut off')
  const whole = `{"message": "${message}"}`
  const given = at < chunkBytes ? '' : Buffer.concat(received).toString()
  expect(whole.startsWith(given) && given.length < whole.length).toBe(true)

  const again = await fetch(`${server.url}/messages/${digest}`)
  expect([again.status, again.headers.get('content-type')]).toEqual([
    500,
    expect.stringContaining('application/problem+json'),
  ])
  expect(await again.json()).toMatchObject({ code: 'message-damaged' })
  expect(await readdir(join(folder.path, 'damaged'))).toHaveLength(1)
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  expect(metrics).toMatch(/^message_store_integrity_failures_total\{.*\} 1$/m)
  await server.waitForLine(/a stored message is damaged/)

  expect(await post(server.url, message)).toBe(200)
  expect((await get(server.url, digest)).body === `{"message": "${message}"}`).toBe(true)
})
