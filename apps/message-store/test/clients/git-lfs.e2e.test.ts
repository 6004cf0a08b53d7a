import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore } from '../message-store-process.ts'
import { describeWithClient, run } from './client.ts'

await describeWithClient({ packageName: 'git-lfs', program: 'git-lfs' }, () => {
  test('objects are pushed, verified, fetched again, and not sent twice', async () => {
    await using folder = await temporaryFolder()
    await using store = await startMessageStore(join(folder.path, 'store'))
    const env = {
      HOME: folder.path,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@b',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@b',
    }
    const cwd = join(folder.path, 'work')
    const git = (...args: string[]) => run('git', args, { cwd, env })
    await mkdir(cwd)
    await run('git', ['init', '-q', '--bare', join(folder.path, 'remote.git')], { env })
    await git('init', '-q')
    await git('lfs', 'install', '--local')
    await git('config', 'lfs.url', `${store.url}/lfs/project`)
    await git('config', 'lfs.locksverify', 'false')
    await git('lfs', 'track', '*.bin')
    const contents = [randomBytes(200_000), randomBytes(100)]
    await Promise.all(contents.map((bytes, index) => writeFile(join(cwd, `${index}.bin`), bytes)))
    await git('add', '.')
    await git('commit', '-q', '-m', 'objects')
    await git('remote', 'add', 'origin', join(folder.path, 'remote.git'))
    await git('lfs', 'push', 'origin', '--all')
    await git('lfs', 'push', 'origin', '--all')
    const metrics = await (await fetch(`${store.url}/metrics`)).text()
    expect(metrics).toMatch(/^message_store_puts_total\{outcome="created",family="lfs".*\} 2$/m)

    await rm(join(cwd, '.git/lfs/objects'), { recursive: true })
    for (const index of contents.keys()) await rm(join(cwd, `${index}.bin`))
    await git('lfs', 'fetch', 'origin', '--all')
    await git('checkout', '-f', '.')
    await git('lfs', 'checkout')
    for (const [index, bytes] of contents.entries()) {
      expect((await readFile(join(cwd, `${index}.bin`))).equals(bytes)).toBe(true)
    }
    await git('lfs', 'fsck')
  })
})
