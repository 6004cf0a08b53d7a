import { createServer } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { startBackend } from './index.ts'

// Of these words the guard sees that it has to choose another port, where none was given.
test.each(['redis', 'postgres'] as const)(
  'a port that is given and taken is an error with what %s said',
  async (kind) => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await once(other, 'listening')
    const address = other.address()
    if (address === null || typeof address === 'string') throw new Error('a listening TCP server has a port')
    const { port } = address
    await expect(startBackend(kind, { port, asProcess: true })).rejects.toThrow(/ended at once: .*in use/)
  },
)
