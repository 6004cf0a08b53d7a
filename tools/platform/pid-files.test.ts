import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { PidFiles } from './pid-files.ts'
import { processIdentity } from './process-identity.ts'

async function sleeper(): Promise<{ pid: number; end(): void }> {
  const child = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' })
  await once(child, 'spawn')
  return { pid: child.pid ?? -1, end: () => void child.kill('SIGKILL') }
}

test('a recorded process that still runs is ended, and its file goes', async () => {
  await using folder = await temporaryFolder()
  const orphan = await sleeper()
  await new PidFiles(folder.path).record('counter', orphan.pid)
  await expect(new PidFiles(folder.path).endOrphans(2_000)).resolves.toEqual(['counter'])
  await expect(processIdentity(orphan.pid)).resolves.toBeUndefined()
  await expect(readdir(join(folder.path, 'launcher', 'pids'))).resolves.toEqual([])
})

test('a stranger that got the pid of a dead child is not touched', async () => {
  await using folder = await temporaryFolder()
  const stranger = await sleeper()
  const pids = join(folder.path, 'launcher', 'pids')
  await mkdir(pids, { recursive: true })
  await writeFile(join(pids, 'counter.json'), JSON.stringify({ pid: stranger.pid, identity: 'an earlier boot/17' }))
  await expect(new PidFiles(folder.path).endOrphans(2_000)).resolves.toEqual([])
  await expect(processIdentity(stranger.pid)).resolves.toBeDefined()
  await expect(readdir(pids)).resolves.toEqual([])
  stranger.end()
})

test('a torn pid file is dropped', async () => {
  await using folder = await temporaryFolder()
  const pids = join(folder.path, 'launcher', 'pids')
  await mkdir(pids, { recursive: true })
  await writeFile(join(pids, 'counter.json'), '{"pid": 1')
  await expect(new PidFiles(folder.path).endOrphans(0)).resolves.toEqual([])
})
