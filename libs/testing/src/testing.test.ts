import { existsSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isAlive, startProcess, temporaryFolder, waitUntil } from './index.ts'

test('waitUntil returns the value, and names what it waited for when time is up', async () => {
  let calls = 0
  await expect(waitUntil(() => ++calls > 2 && 'third')).resolves.toBe('third')
  await expect(waitUntil(() => false, { timeoutMs: 30, what: 'the moon' })).rejects.toThrow('in vain for the moon')
})

test('a condition that throws is not yet met, and its error is the cause of the time-out', async () => {
  const boom = new Error('boom')
  const failing = waitUntil(() => Promise.reject(boom), { timeoutMs: 30 })
  await expect(failing).rejects.toHaveProperty('cause', boom)
})

test('a temporary folder is gone after its scope', async () => {
  let path = ''
  {
    await using folder = await temporaryFolder()
    path = folder.path
    expect(existsSync(path)).toBe(true)
  }
  expect(existsSync(path)).toBe(false)
})

test('a process reports its lines, and dies with its scope', async () => {
  let pid = 0
  {
    await using child = startProcess({ args: ['-e', 'console.log("ready"); setInterval(() => {}, 1000)'] })
    pid = child.pid
    await expect(child.waitForLine(/rea/)).resolves.toBe('ready')
    expect(isAlive(pid)).toBe(true)
  }
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect(isAlive(pid)).toBe(false)
})

test.runIf(process.platform === 'linux')('a zombie is not alive', async () => {
  // The shell becomes a program that never asks after what the shell has started.
  await using parent = startProcess({ command: 'sh', args: ['-c', 'echo ready & echo child $!; exec sleep 60'] })
  const pid = Number((await parent.waitForLine(/^child/)).split(' ')[1])
  await waitUntil(() => !isAlive(pid))
  expect(() => process.kill(pid, 0)).not.toThrow()
})

test('waiting for a line of a process that ended fails at once with what it printed', async () => {
  await using child = startProcess({ args: ['-e', 'console.error("bad flag"); process.exit(2)'] })
  await expect(child.waitForLine(/never/)).rejects.toThrow('bad flag')
  await expect(child.exit).resolves.toEqual({ code: 2, signal: null })
})
