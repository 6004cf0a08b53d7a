import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore } from '../message-store-process.ts'
import { describeWithClient, run } from './client.ts'

await describeWithClient({ packageName: 'restic', program: 'restic' }, () => {
  test('of several who make one repository at once, through two processes, one does; it can be used, and a key added, at once', async () => {
    await using folder = await temporaryFolder()
    const store = join(folder.path, 'store')
    await using first = await startMessageStore(store)
    await using second = await startMessageStore(store)
    await writeFile(join(folder.path, 'file'), 'content')
    const restic = (url: string, ...args: string[]) =>
      run('restic', ['-r', `rest:${url}/restic/race/`, '--no-cache', ...args], {
        cwd: folder.path,
        // The same for all, as it is where a job runs on many machines.
        env: { RESTIC_PASSWORD: 'secret', HOME: folder.path },
      })
    const urls = [first.url, second.url, first.url, second.url]
    const inits = await Promise.allSettled(urls.map((url) => restic(url, 'init')))
    expect(inits.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const keys = async (): Promise<unknown> => (await fetch(`${first.url}/restic/race/keys/`)).json()
    expect(await keys()).toHaveLength(1)
    await writeFile(join(folder.path, 'other'), 'other secret')
    await restic(second.url, 'key', 'add', '--new-password-file', 'other')
    expect(await keys()).toHaveLength(2)
    await restic(first.url, '--password-file', 'other', 'cat', 'config')
    await restic(second.url, 'backup', 'file')
    expect((await restic(first.url, 'check', '--read-data')).stdout).toContain('no errors were found')
  })

  test('a backup is checked byte by byte, restored, forgotten and pruned', async () => {
    await using folder = await temporaryFolder()
    await using store = await startMessageStore(join(folder.path, 'store'))
    const source = join(folder.path, 'source')
    await mkdir(source)
    const bytes = randomBytes(2_000_000)
    await writeFile(join(source, 'random'), bytes)
    const restic = (...args: string[]) =>
      run('restic', ['-r', `rest:${store.url}/restic/backup/`, '--no-cache', ...args], {
        cwd: folder.path,
        env: { RESTIC_PASSWORD: 'secret', HOME: folder.path },
      })
    await restic('init')
    await expect(restic('init')).rejects.toThrow('config file already exists')
    await restic('backup', 'source')
    expect((await restic('check', '--read-data')).stdout).toContain('no errors were found')
    await writeFile(join(source, 'more'), 'more')
    await restic('backup', 'source')
    await restic('forget', '--keep-last', '1', '--prune')
    expect((await restic('check', '--read-data')).stdout).toContain('no errors were found')
    await restic('restore', 'latest', '--target', 'restored')
    expect((await readFile(join(folder.path, 'restored/source/random'))).equals(bytes)).toBe(true)
  })
})
