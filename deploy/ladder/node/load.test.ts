import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import type { Loaded, LoadRequest } from './proof.ts'

type Answer = (...exchange: Parameters<RequestListener>) => unknown

async function loadOn(answer: Answer, request: Omit<LoadRequest, 'url'>, path = '/'): Promise<Loaded> {
  const server = createServer((request, response) => void answer(request, response))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}${path}`
  const program = fileURLToPath(new URL('load.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program, JSON.stringify({ url, ...request })])
  server.close()
  return JSON.parse(stdout)
}

test('counts answers, refusals and broken connections apart, over new connections and kept ones', async () => {
  let count = 0
  const kept = new Set<string>()
  const { ok, failed } = await loadOn(
    (request, response) => {
      count++
      kept.add(String(request.headers.connection))
      if (count % 3 === 1) request.socket.destroy()
      else response.writeHead(count % 3 === 2 ? 503 : 200).end('{}')
    },
    { seconds: 0.5 },
  )
  expect(ok).toBeGreaterThan(0)
  expect(Object.keys(failed).toSorted()).toEqual(['503', 'ECONNRESET'])
  expect(ok + Object.values(failed).reduce((sum, of) => sum + of, 0)).toBe(count)
  expect(kept).toEqual(new Set(['close', 'keep-alive']))
})

test('what answers name is written to a file, and each line of a file is asked for once', async () => {
  await using folder = await temporaryFolder()
  const file = join(folder.path, 'ids')
  const bodies = new Set<string>()
  const written = await loadOn(
    async (request, response) => {
      bodies.add((await request.toArray()).join(''))
      response.end(JSON.stringify({ ids: [`a${bodies.size}`, `b${bodies.size}`] }))
    },
    { seconds: 0.2, method: 'POST', body: '{"text":"{unique}"}', collect: { key: 'ids', file } },
  )
  const lines = (await readFile(file, 'utf8')).trim().split('\n')
  expect(lines.length).toBe(2 * written.ok)
  expect(bodies.size).toBe(written.ok)
  await writeFile(file, 'one\ntwo\n')
  const asked: string[] = []
  await loadOn(
    (request, response) => void response.end(String(asked.push(request.url ?? ''))),
    { each: file },
    '/{line}',
  )
  expect(asked.toSorted()).toEqual(['/one', '/two'])
})
