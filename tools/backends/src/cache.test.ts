import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startProcess, temporaryFolder, type TestProcess } from '@ballast/testing'
import { expect, test } from 'vitest'
import { findProgram } from './run.ts'

const cacheModule = new URL('cache.ts', import.meta.url).href

/** Fetches something whose download begins, waits until `go` is there, and ends. */
const program = `import { cached } from ${JSON.stringify(cacheModule)}
  import { existsSync, writeFileSync } from 'node:fs'
  import { setTimeout as delay } from 'node:timers/promises'
  const [, go] = process.argv
  const folder = await cached('thing', 'version 1', async (draft) => {
    writeFileSync(draft + '/half', 'one')
    console.log('fetching')
    while (!existsSync(go)) await delay(10)
    writeFileSync(draft + '/other half', 'two')
  })
  console.log('in ' + folder)`

function fetchThing(cache: string): TestProcess {
  const args = ['--input-type=module', '-e', program, join(cache, 'go')]
  return startProcess({ args, env: { BALLAST_CACHE: cache } })
}

function contents(cache: string): string[] {
  return readdirSync(cache).filter((name) => name !== 'go')
}

const resultOf = async (fetching: TestProcess): Promise<string> => (await fetching.waitForLine(/^in /)).slice(3)

test('two downloads at once: both end with the same whole folder, and nothing else is left', async () => {
  await using cache = await temporaryFolder()
  await using one = fetchThing(cache.path)
  await using two = fetchThing(cache.path)
  await one.waitForLine(/^fetching/)
  await two.waitForLine(/^fetching/)
  writeFileSync(join(cache.path, 'go'), '')
  const folder = await resultOf(one)
  await expect(resultOf(two)).resolves.toBe(folder)
  await expect(one.exit).resolves.toMatchObject({ code: 0 })
  await expect(two.exit).resolves.toMatchObject({ code: 0 })
  expect(contents(cache.path).map((name) => join(cache.path, name))).toEqual([folder])
  expect(readFileSync(join(folder, 'half'), 'utf8') + readFileSync(join(folder, 'other half'), 'utf8')).toBe('onetwo')
})

test('a download that was killed half way is never taken for a whole one, and is swept by the next', async () => {
  await using cache = await temporaryFolder()
  await using killed = fetchThing(cache.path)
  await killed.waitForLine(/^fetching/)
  killed.kill('SIGKILL')
  await killed.exit
  expect(contents(cache.path)).toEqual([expect.stringMatching(/^draft-thing-/)])
  await using next = fetchThing(cache.path)
  await next.waitForLine(/^fetching/)
  writeFileSync(join(cache.path, 'go'), '')
  const folder = await resultOf(next)
  await next.exit
  expect(contents(cache.path).map((name) => join(cache.path, name))).toEqual([folder])
  expect(existsSync(join(folder, 'other half'))).toBe(true)
})

test('what is there is not fetched again', async () => {
  await using cache = await temporaryFolder()
  writeFileSync(join(cache.path, 'go'), '')
  await using first = fetchThing(cache.path)
  await first.exit
  await using second = fetchThing(cache.path)
  await second.exit
  expect(second.stdout).toEqual([first.stdout[1]])
})

test('nothing is said of the progress where nobody looks', async () => {
  await using cache = await temporaryFolder()
  writeFileSync(join(cache.path, 'go'), '')
  await using fetching = fetchThing(cache.path)
  await fetching.exit
  expect(fetching.stderr).toEqual([])
})

test('an empty variable is as good as none', async () => {
  const say = `import { cacheFolder } from ${JSON.stringify(cacheModule)}; console.log(cacheFolder)`
  const env = { BALLAST_CACHE: '', XDG_CACHE_HOME: '', HOME: '/home/of-nobody' }
  await using asked = startProcess({ args: ['--input-type=module', '-e', say], env })
  await asked.exit
  expect(asked.stdout).toEqual(['/home/of-nobody/.cache/ballast'])
})

const script = findProgram('script')

test.skipIf(script === undefined)('the progress is shown on a terminal', async () => {
  await using cache = await temporaryFolder()
  writeFileSync(join(cache.path, 'go'), '')
  const file = join(cache.path, 'go.mjs')
  writeFileSync(file, program.replace('process.argv', '[, process.argv[2]]'))
  const command = `"${process.execPath}" "${file}" "${join(cache.path, 'go')}"`
  const args = ['--quiet', '--return', '--command', command, '/dev/null']
  await using terminal = startProcess({ command: 'script', args, env: { BALLAST_CACHE: cache.path } })
  await expect(terminal.exit).resolves.toMatchObject({ code: 0 })
  expect(terminal.stdout.join('\n')).toMatch(/fetching thing \.\.\. done in \d+\.\d s/)
})
