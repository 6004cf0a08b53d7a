import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'

const can = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
const fixture = fileURLToPath(new URL('../fixtures/one-commit.ts', import.meta.url))

/** The calls of the second commit that end before its answer, in order, as `call` or `call name`. */
async function callsOfCommit(logAtBytes: string): Promise<string[]> {
  await using folder = await temporaryFolder()
  const [path, trace] = [join(folder.path, 'counter.json'), join(folder.path, 'trace')]
  const calls = 'trace=fsync,fdatasync,rename,renameat,renameat2,write,pwrite64,writev,pwritev'
  const strace = ['-f', '-y', '-e', calls, '-o', trace, process.execPath, fixture, path, logAtBytes]
  await promisify(execFile)('strace', strace)
  const lines = (await readFile(trace, 'utf8')).split('\n')
  const [begin, end] = ['"prepared', '"answered'].map((text) => lines.findIndex((line) => line.includes(text)))
  return lines.slice((begin ?? 0) + 1, end).flatMap((line) => {
    const [, call = ''] = /^\d+ +(?:<\.\.\. )?(\w+)/.exec(line) ?? []
    if (line.includes('unfinished') || !(line.includes(folder.path) || line.includes('resumed'))) return []
    const kind = /sync/.test(call) ? 'sync' : /rename/.test(call) ? 'rename' : 'write'
    return [kind]
  })
}

test.runIf(can)(
  'a commit to a small file: write, fsync, rename, fsync of the folder, answer',
  { timeout: 60_000 },
  async () => {
    const calls = await callsOfCommit('1000000')
    expect(calls.filter((call, index) => call !== calls[index - 1])).toEqual(['write', 'sync', 'rename', 'sync'])
  },
)

test.runIf(can)('a commit to a log: write, fdatasync, answer', { timeout: 60_000 }, async () => {
  const calls = await callsOfCommit('0')
  expect(calls.slice(-2)).toEqual(['write', 'sync'])
})

test.skipIf(can)('SKIPPED: the order of system calls is not checked: strace is missing or may not trace here', () => {
  expect(can).toBe(false)
})
