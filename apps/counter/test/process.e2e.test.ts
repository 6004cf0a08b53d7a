import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { counterProcess, startCounter } from './counter-process.ts'

async function scratch(): Promise<string> {
  const folder = await temporaryFolder()
  onTestFinished(() => folder[Symbol.asyncDispose]())
  return folder.path
}

const anHourAhead = (_: string, writtenAtMs: string): string => `"writtenAtMs":${Number(writtenAtMs) + 3_600_000}`

const count = async (url: string, key?: string): Promise<unknown> =>
  (await fetch(url, { method: 'POST', ...(key !== undefined && { headers: { 'idempotency-key': key } }) })).json()

describe('a life', () => {
  test('makes its folder, counts, stops on SIGTERM with 0, and goes on where it was', async () => {
    const path = join(await scratch(), 'some', 'where', 'counter.json')
    await using first = await startCounter(path)
    await expect(count(first.url)).resolves.toEqual({ counter: 1 })
    await expect(count(first.url, 'k')).resolves.toEqual({ counter: 2 })
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200)
    first.kill('SIGTERM')
    await expect(first.exit).resolves.toEqual({ code: 0, signal: null })
    await using second = await startCounter(path)
    const again = await fetch(second.url, { method: 'POST', headers: { 'idempotency-key': 'k' } })
    expect([await again.json(), again.headers.get('idempotency-replayed')]).toEqual([{ counter: 2 }, 'true'])
    await expect(count(second.url)).resolves.toEqual({ counter: 3 })
  })

  test('after the clock of the machine was set back an hour, a counter with a time to live lives', async () => {
    const path = join(await scratch(), 'counter.json')
    await using first = await startCounter(path)
    await count(first.url)
    first.kill('SIGTERM')
    await first.exit
    // As the file would be had it been written before the clock was set back.
    const written = (await readFile(path, 'utf8')).replace(/,\n"crc32":"\w+"/, '')
    await writeFile(path, written.replace(/"writtenAtMs":(\d+)/, anHourAhead))
    await using second = await startCounter(path)
    const url = `${second.url}/v1/counters/a/b`
    const headers = { 'content-type': 'application/json' }
    for (const value of ['1', '2']) {
      const added = await fetch(`${url}/add`, { method: 'POST', headers, body: '{"ttlMs":600000}' })
      await expect(added.json()).resolves.toMatchObject({ value })
      await expect((await fetch(url)).json()).resolves.toMatchObject({ value })
    }
  })

  test('what was accepted before SIGTERM is finished', async () => {
    const path = join(await scratch(), 'counter.json')
    await using counter = await startCounter(path)
    const asked = Array.from({ length: 50 }, () => count(counter.url))
    await asked[0]
    counter.kill('SIGTERM')
    const answered = (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled')
    await expect(counter.exit).resolves.toEqual({ code: 0, signal: null })
    await using next = await startCounter(path)
    const value = Number(await (await fetch(next.url, { headers: { accept: 'text/plain' } })).text())
    expect(value).toBeGreaterThanOrEqual(answered.length)
    expect(value).toBeLessThanOrEqual(asked.length)
  })

  test('the metrics of the store are those of real commits', async () => {
    await using counter = await startCounter(join(await scratch(), 'counter.json'))
    await Promise.all(Array.from({ length: 20 }, () => count(counter.url)))
    const metrics = await (await fetch(`${counter.url}/metrics`)).text()
    const value = (name: string): number => Number(new RegExp(`^${name}\\{[^}]*\\} (.*)$`, 'm').exec(metrics)?.[1])
    expect(value('counter_commit_operations_sum')).toBe(20)
    expect(value('counter_commit_seconds_count')).toBeLessThanOrEqual(20)
    expect(value('counter_commit_fsync_seconds_sum')).toBeGreaterThan(0)
    expect(value('counter_lock_wait_seconds_count')).toBe(1)
    expect(value('counter_snapshot_bytes')).toBeGreaterThan(100)
  })
})

/** Exits with 2 and one sentence on stderr. */
async function refused(...args: string[]): Promise<string> {
  await using refusing = counterProcess('--listen', '127.0.0.1:0', ...args)
  await expect(refusing.exit).resolves.toEqual({ code: 2, signal: null })
  expect(refusing.stderr).toHaveLength(1)
  return refusing.stderr[0] ?? ''
}

describe('a start that fails says in one sentence what to do', () => {
  test('a second process on the same file names the first one, which goes on', async () => {
    const path = join(await scratch(), 'counter.json')
    await using first = await startCounter(path)
    const sentence = await refused('--store', `file:${path}`, '--lock-timeout-ms', '100')
    expect(sentence).toContain(`${path} is in use by process ${first.pid} on `)
    expect(sentence).toContain('--store')
    await expect(count(first.url)).resolves.toEqual({ counter: 1 })
  })

  test('a successor that waits takes over when the first one ends', async () => {
    const path = join(await scratch(), 'counter.json')
    await using first = await startCounter(path)
    await count(first.url)
    const second = startCounter(path, '--lock-timeout-ms', '10s')
    await waitUntil(async () => (await fetch(`${first.url}/readyz`)).ok)
    first.kill('SIGTERM')
    await using successor = await second
    await expect(count(successor.url)).resolves.toEqual({ counter: 2 })
  })

  test('a stopped process keeps the file', async () => {
    const path = join(await scratch(), 'counter.json')
    await using first = await startCounter(path)
    first.kill('SIGSTOP')
    await expect(refused('--store', `file:${path}`, '--lock-timeout-ms', '100')).resolves.toContain(
      `process ${first.pid}`,
    )
    first.kill('SIGCONT')
    await expect(count(first.url)).resolves.toEqual({ counter: 1 })
  })

  test('a taken port', async () => {
    const folder = await scratch()
    await using first = await startCounter(join(folder, 'a.json'))
    const { host } = new URL(first.url)
    await using second = counterProcess('--store', `file:${join(folder, 'b.json')}`, '--listen', host)
    await expect(second.exit).resolves.toEqual({ code: 2, signal: null })
    expect(second.stderr.join('\n')).toMatch(new RegExp(`${host} is taken .*--listen`))
  })

  test('an unknown store', async () => {
    await expect(refused('--store', 'mysql://user:secret@localhost')).resolves.toContain(
      'say --store (COUNTER_STORE) file:<path>',
    )
  })

  test.skipIf(process.getuid?.() === 0)('a folder that may not be written', async () => {
    const folder = await scratch()
    await chmod(folder, 0o500)
    await expect(refused('--store', `file:${folder}/counter.json`)).resolves.toMatch(/the folder .* --store/)
  })

  test('a folder that is a file', async () => {
    const folder = await scratch()
    await mkdir(join(folder, 'x'))
    await writeFile(join(folder, 'x', 'file'), '')
    await expect(refused('--store', `file:${folder}/x/file/counter.json`)).resolves.toMatch(
      /the folder .*x\/file .*--store/,
    )
  })
})

test('the file of the predecessor is taken over', async () => {
  const path = join(await scratch(), 'counter.json')
  await writeFile(path, '{"counter":41}')
  await using counter = await startCounter(path)
  await expect(count(counter.url)).resolves.toEqual({ counter: 42 })
})
