import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { startBackend } from './index.ts'

test('a port that is given and taken is an error with what the server said', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await once(other, 'listening')
  const address = other.address()
  if (address === null || typeof address === 'string') throw new Error('a listening TCP server has a port')
  const { port } = address
  await expect(startBackend('redis', { port, asProcess: true })).rejects.toThrow(/ended at once: .*in use/)
})
