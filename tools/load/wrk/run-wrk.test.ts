import { createServer } from 'node:http'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { hasWrk, readJournal, runWrk } from './run-wrk.ts'

test.skipIf(!(await hasWrk()))(
  'users in groups: all come, all go on to the end, and no id of their journals is cut',
  async () => {
    await using folder = await temporaryFolder()
    let connections = 0
    let answers = 0
    const server = createServer((_request, response) => {
      const id = (answers++).toString(16).padStart(24, '0')
      response.end(`{"status":"success","writes":["${id}"]}`)
    }).on('connection', () => connections++)
    const { promise: listening, resolve } = Promise.withResolvers<void>()
    server.listen(0, '127.0.0.1', resolve)
    await listening
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const journal = join(folder.path, 'journal')
    const result = await runWrk({
      url: `http://127.0.0.1:${port}/`,
      connections: 61,
      durationMs: 2000,
      groups: 2,
      journal,
    })
    expect(connections).toBeGreaterThanOrEqual(61)
    expect(result.seconds).toBeGreaterThan(1.5)
    expect(result.latencies.total).toBe(result.answers)
    const ids = await readJournal(journal)
    // wrk reads no further when its time is over.
    expect(ids.length).toBe(result.answers)
    expect(new Set(ids).size).toBe(ids.length)
    server.closeAllConnections()
    server.close()
  },
)
