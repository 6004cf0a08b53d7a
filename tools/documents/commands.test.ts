import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startProcess, temporaryFolder } from '@ballast/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePortBase } from '../platform/ports.ts'
import { documents, read, root } from './markdown.ts'
import type { ProgramOutcome } from './run-programs.ts'
import {
  runnable,
  scriptOf,
  shellCommands,
  unlabelledBlocks,
  unreasonedBlocks,
  wordsOf,
  type NodeProgram,
} from './shell-commands.ts'

const run = promisify(execFile)
const stack = new AsyncDisposableStack()
let portBase = 0

/** One platform for all commands that ask a service something. */
beforeAll(async () => {
  const folder = stack.use(await temporaryFolder())
  portBase = await freePortBase([0, 1, 2, 3, 4])
  const args = ['--only', 'counter,message-store,load-tolerant-api', '--json', '--port-base', String(portBase)]
  const launcher = fileURLToPath(new URL('../launcher/main.ts', import.meta.url))
  const platform = startProcess({
    command: process.execPath,
    args: [launcher, ...args, '--data-dir', folder.path],
    cwd: root,
  })
  stack.defer(async () => {
    platform.kill('SIGTERM')
    await platform.exit
  })
  await platform.waitForLine(/^\{"ready":true/)
})
afterAll(() => stack.disposeAsync())

async function runPrograms(programs: readonly NodeProgram[]): Promise<readonly ProgramOutcome[]> {
  if (programs.length === 0) return []
  const child = fork(fileURLToPath(new URL('run-programs.ts', import.meta.url)), { cwd: root, stdio: 'ignore' })
  stack.defer(() => void child.kill())
  child.send([...programs])
  // What it sends is what run-programs.ts declares; a child that died before has sent nothing.
  const [outcomes] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as [readonly ProgramOutcome[]]
  return outcomes
}

test('the commands of all documents work as they stand', async () => {
  const failures: string[] = []
  const programs: (NodeProgram & { readonly where: string })[] = []
  for (const document of documents()) {
    // What a block exports holds for the later ones of its document.
    const exported: Record<string, string> = {}
    for (const { text, line } of shellCommands(read(document))) {
      const where = `${document}:${line}: ${text}`
      const command = runnable(text, portBase)
      if (command?.kind === 'export') Object.assign(exported, command.env)
      else if (command?.kind === 'node') programs.push({ ...command, where, env: { ...exported, ...command.env } })
      else if (command !== undefined) {
        await run('bash', ['-ec', command.shell], { cwd: root, timeout: 60_000 }).catch(
          (error: { code?: number; stderr?: string; stdout?: string }) => {
            if (command.mayTimeOut && error.code === 28) return
            failures.push(`${where}: exit ${error.code} ${error.stderr} ${error.stdout}`)
          },
        )
      } else if (!scripts.has(scriptOf(wordsOf(text)) ?? '')) failures.push(`${where}: cannot be run: "sh not-run"?`)
    }
  }
  const outcomes = await runPrograms(programs)
  expect(outcomes).toHaveLength(programs.length)
  expect(programs.length).toBeGreaterThan(20)
  for (const [index, { where }] of programs.entries()) {
    const { code, stderr } = outcomes[index] ?? { code: -1, stderr: 'not run' }
    if (code !== 0) failures.push(`${where}: exit ${code} ${stderr}`)
  }
  expect(failures).toEqual([])
})

const packageJson: unknown = JSON.parse(read('package.json'))
const scripts = new Set(
  typeof packageJson === 'object' && packageJson !== null && 'scripts' in packageJson
    ? ['test', ...Object.keys(packageJson.scripts ?? {})]
    : [],
)

describe.each(documents())('%s', (document) => {
  test('says which of its blocks are commands, and why some are not run', () => {
    expect(unlabelledBlocks(read(document))).toEqual([])
    expect(unreasonedBlocks(read(document))).toEqual([])
  })
})

test('a wrong flag, a script that is not there and an address that answers 404 would be seen', async () => {
  const flag = runnable('npm run counter -- --stroe file:x', portBase)
  const [outcome] = await runPrograms(flag?.kind === 'node' ? [flag] : [])
  expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining('did you mean --store') })
  const missing = runnable('curl localhost:4001/nothing', portBase)
  await expect(run('bash', ['-c', missing?.kind === 'shell' ? missing.shell : 'true'])).rejects.toMatchObject({
    code: 22,
  })
  expect(scripts.has(scriptOf(wordsOf('npm run nothing-of-the-sort')) ?? '')).toBe(false)
})
