import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { startCounter } from './counter-process.ts'

async function scratch(): Promise<string> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return folder.path
}

/** One request to each of what the service does with counters. */
const requests: readonly (readonly [path: string, method?: string, body?: unknown])[] = [
  ['/'],
  ['/', 'POST'],
  ['/v1/counters'],
  ['/v1/counters/a/b'],
  ['/v1/counters/a/b', 'PUT', { value: 1 }],
  ['/v1/counters/a/b', 'DELETE'],
  ['/v1/counters/a/b/add', 'POST', {}],
  ['/v1/counters/buffered/b/add', 'POST', {}],
  ['/v1/counters/a/b/badge.svg'],
  ['/v1/counters/a/b/events'],
  ['/v1/batch', 'POST', { operations: [{ op: 'add', namespace: 'a', name: 'b' }] }],
]

async function problems(url: string): Promise<unknown[]> {
  const asked = requests.map(async ([path, method = 'GET', body]) => {
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const answer = await fetch(`${url}${path}`, { method, ...sent })
    return [answer.headers.get('content-type')?.split(';')[0], await answer.json()]
  })
  return Promise.all(asked)
}

test.each([
  ['one process', 'file', []],
  ['several processes', 'file', ['--workers', '2']],
  ['a shared file', 'shared', []],
] as const)('a corrupt file, %s: not ready, 503 everywhere, a copy kept, nothing changed', async (_, mode, args) => {
  const folder = await scratch()
  const path = join(folder, 'counter.json')
  await writeFile(path, '{"counter":')
  const store = mode === 'shared' ? `${path}?mode=shared` : path
  await using counter = await startCounter(store, '--buffered', 'buffered/*', ...args)
  const copy = (await readdir(folder)).find((name) => name.includes('damaged')) ?? ''
  await expect(readFile(join(folder, copy), 'utf8')).resolves.toBe('{"counter":')
  expect(counter.stdout[0]).toMatch(new RegExp(`"level":"error".*not ready: ${path} .*${copy}; repair it.*start again`))
  const ready = await fetch(`${counter.url}/readyz`)
  expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining(copy)])
  expect((await fetch(`${counter.url}/livez`)).status).toBe(200)
  const detail = expect.stringMatching(
    new RegExp(`^counter\\.json cannot be read .* a copy in ${copy}\\. .*start it again`),
  )
  const problem = expect.objectContaining({ status: 503, code: 'store-damaged', detail })
  expect(await problems(counter.url)).toEqual(requests.map(() => ['application/problem+json', problem]))
  counter.kill('SIGTERM')
  await expect(counter.exit).resolves.toEqual({ code: 0, signal: null })
  await expect(readFile(path, 'utf8')).resolves.toBe('{"counter":')
})

test('a corrupt file that is taken away while the service runs is not taken for an empty store', async () => {
  const path = join(await scratch(), 'counter.json')
  await writeFile(path, '{"counter":')
  await using counter = await startCounter(path)
  await rm(path)
  const answer = await fetch(counter.url, { method: 'POST' })
  await expect(answer.json()).resolves.toMatchObject({ status: 503, code: 'store-damaged' })
  await writeFile(path, '{"counter":7}')
  counter.kill('SIGTERM')
  await counter.exit
  await using repaired = await startCounter(path)
  await expect((await fetch(repaired.url)).json()).resolves.toEqual({ counter: 7 })
})

test('a file that another process damaged while it is shared: the problem says so, and a copy is kept', async () => {
  const folder = await scratch()
  const path = join(folder, 'counter.json')
  await using counter = await startCounter(`${path}?mode=shared`)
  await fetch(counter.url, { method: 'POST' })
  await writeFile(path, '{"counter":')
  const answer = await fetch(counter.url)
  await expect(answer.json()).resolves.toMatchObject({ status: 503, code: 'store-damaged' })
  expect((await readdir(folder)).filter((name) => name.includes('damaged'))).toHaveLength(1)
})
