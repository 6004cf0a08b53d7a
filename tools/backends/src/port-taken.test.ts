import { createServer } from 'node:net'
import { once } from 'node:events'
import { temporaryFolder } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { findServer } from './find-server.ts'
import { startBackend } from './index.ts'
import { redisCommand } from './resp.ts'

test('a port on which another server of its kind listens is refused, and that one left alone', async () => {
  await using first = await startBackend('redis', { asProcess: true, durability: 'none' })
  const port = Number(new URL(first.url).port)
  await expect(startBackend('redis', { port, asProcess: true })).rejects.toThrow(`port ${port} of 127.0.0.1 is in use`)
  await expect(redisCommand(port, ['PING'])).resolves.toBe('+PONG')
})

// Another program may take it after the look. Of these words the guard sees that it has to choose another port.
test.each(['redis', 'postgres'] as const)(
  'a port that was taken meanwhile is an error with what %s said',
  async (kind) => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const address = other.address()
    if (address === null || typeof address === 'string') throw new Error('a listening TCP server has a port')
    const { port } = address
    await using folder = await temporaryFolder()
    const found = await findServer(kind, { asProcess: true }, true)
    const { server } = await found.prepare({ options: {}, folder: folder.path, port })
    await expect(server.start()).rejects.toThrow(/ended at once: .*in use/)
  },
)
