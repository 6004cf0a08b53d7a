import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describeOnBackend } from '@ballast/backends/describe-on-backend'
import { dropNamespace } from '@ballast/backends/drop-namespace'
import { ownNamespaceOfTest } from '@ballast/backends/own-namespace'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { counterProcess, startCounter } from './counter-process.ts'

async function scratch(): Promise<string> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return folder.path
}

/** Exit code and what was printed. */
async function run(...args: string[]): Promise<{ code: number | null; said: string }> {
  await using task = counterProcess(...args)
  const { code } = await task.exit
  return { code, said: [...task.stdout, ...task.stderr].join('\n') }
}

const count = (url: string): Promise<boolean> =>
  fetch(url, { method: 'POST', signal: AbortSignal.timeout(10_000) }).then(
    ({ ok }) => ok,
    () => false,
  )

test('after kill -9 under load the audit log has every answered change, and counter recount proves it', async () => {
  const folder = await scratch()
  const [path, log] = [join(folder, 'counter.json'), join(folder, 'audit.log')]
  let answered = 0
  for (const args of [[], ['--workers', '2']]) {
    await using counter = await startCounter(path, '--audit-log', log, ...args)
    const target = answered + 100
    const stop = new AbortController()
    const clients = Array.from({ length: 8 }, async () => {
      while (!stop.signal.aborted) if (await count(counter.url)) answered += 1
    })
    await waitUntil(() => answered >= target)
    counter.kill('SIGKILL')
    await counter.exit
    stop.abort()
    await Promise.all(clients)
  }
  const text = await readFile(log, 'utf8')
  const added = [...text.matchAll(/"op":"add".*"delta":"1"/g)].length
  expect(added).toBeGreaterThanOrEqual(answered)
  // A last life states what the kills left between store and log.
  await using last = await startCounter(path, '--audit-log', log)
  last.kill('SIGTERM')
  await last.exit
  const proved = await run('recount', '--store', `file:${path}`, '--audit-log', log)
  expect(proved).toMatchObject({ code: 0, said: expect.stringContaining('each is the sum of its changes') })

  await appendFile(log, 'torn')
  expect(await run('recount', '--store', `file:${path}`, '--audit-log', log)).toMatchObject({ code: 0 })
  await writeFile(log, text.split('\n').slice(0, 40).join('\n') + '\n')
  const wrong = await run('recount', '--store', `file:${path}`, '--audit-log', log)
  expect(wrong).toMatchObject({ code: 1, said: expect.stringMatching(/default\/counter is \d+ .* adds up to 40/) })
  await writeFile(log, text.replace('"delta":"1"', '"delta":"3"'))
  const damaged = await run('recount', '--store', `file:${path}`, '--audit-log', log)
  expect(damaged).toMatchObject({ code: 1, said: expect.stringContaining('is damaged: line 1, at byte 0') })
})

test('counter recount and counter copy say what is wrong with how they were called', async () => {
  const folder = await scratch()
  const store = `file:${join(folder, 'a.json')}`
  expect(await run('recount', '--store', store)).toMatchObject({
    code: 2,
    said: expect.stringContaining('--audit-log'),
  })
  expect(await run('recount', '--audit-log', 'x')).toMatchObject({ code: 2, said: expect.stringContaining('--store') })
  expect(await run('copy', '--from', store, '--to', store)).toMatchObject({ code: 2 })
  expect(await run('copy', '--from', store, '--to', 'mysql://x')).toMatchObject({ code: 2 })
  await using counter = await startCounter(join(folder, 'a.json'))
  const busy = await run('copy', '--from', store, '--to', `file:${join(folder, 'b.json')}`)
  expect(busy).toMatchObject({ code: 2, said: expect.stringContaining(`in use by process ${counter.pid}`) })
})

test('counter copy from file to file, refused the second way round', async () => {
  const folder = await scratch()
  const [from, to] = [join(folder, 'a.json'), join(folder, 'b.json')]
  await writeFile(from, '{"counter":41}')
  const first = await run('copy', '--from', `file:${from}`, '--to', `file:${to}`)
  expect(first).toEqual({ code: 0, said: '1 counters copied, 0 were there already: all are equal' })
  await using counter = await startCounter(to)
  await count(counter.url)
  counter.kill('SIGTERM')
  await counter.exit
  const again = await run('copy', '--from', `file:${from}`, '--to', `file:${to}`, '--json')
  expect(again.code).toBe(1)
  expect(JSON.parse(again.said)).toMatchObject({
    copied: 0,
    refused: [expect.stringContaining('default/counter is 41')],
  })
})

for (const kind of ['redis', 'postgres', 'dynamodb'] as const) {
  await describeOnBackend(kind, ({ url }) => {
    test(`counter copy from a file to ${kind} and back`, async () => {
      const folder = await scratch()
      const [from, back] = [join(folder, 'a.json'), join(folder, 'b.json')]
      await writeFile(from, '9007199254740993')
      const own = ownNamespaceOfTest(url, (name) => dropNamespace[kind](url, name))
      const targets = {
        redis: `${url}/0?prefix=${own}`,
        postgres: `${url}?schema=${own}`,
        dynamodb: url.replace('?', `/${own}?`),
      }
      const target = targets[kind]
      expect(await run('copy', '--from', `file:${from}`, '--to', target)).toMatchObject({ code: 0 })
      expect(await run('copy', '--from', target, '--to', `file:${back}`)).toMatchObject({ code: 0 })
      await expect(readFile(back, 'utf8')).resolves.toContain('"value":"9007199254740993"')
    })
  })
}
