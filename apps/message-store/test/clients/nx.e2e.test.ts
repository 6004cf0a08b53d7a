import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore } from '../message-store-process.ts'
import { run } from './client.ts'

const installed = fileURLToPath(new URL('../../../../node_modules', import.meta.url))

test('Nx of this workspace finds the result of a task that another machine ran', { timeout: 300_000 }, async () => {
  await using folder = await temporaryFolder()
  await using store = await startMessageStore(join(folder.path, 'store'))
  const workspace = join(folder.path, 'workspace')
  await mkdir(join(workspace, 'a'), { recursive: true })
  await symlink(installed, join(workspace, 'node_modules'))
  const json = (file: string, value: object) => writeFile(join(workspace, file), JSON.stringify(value))
  await json('package.json', { name: 'root', private: true, workspaces: ['a'] })
  await json('nx.json', { analytics: false })
  await json('a/package.json', {
    name: 'a',
    version: '1.0.0',
    nx: {
      targets: {
        build: {
          command: "node -e \"require('fs').writeFileSync('a/out.txt', String(process.pid))\"",
          outputs: ['{projectRoot}/out.txt'],
          cache: true,
        },
      },
    },
  })
  const output = join(workspace, 'a/out.txt')
  const build = async (machine: string) => {
    await rm(output, { force: true })
    const { stdout } = await run(process.execPath, [join(installed, 'nx/dist/bin/nx.js'), 'run', 'a:build'], {
      cwd: workspace,
      env: {
        NX_SELF_HOSTED_REMOTE_CACHE_SERVER: `${store.url}/nx`,
        NX_SELF_HOSTED_REMOTE_CACHE_ACCESS_TOKEN: 'token',
        NX_CACHE_DIRECTORY: join(folder.path, machine, 'cache'),
        NX_WORKSPACE_DATA_DIRECTORY: join(folder.path, machine, 'data'),
        NX_DAEMON: 'false',
        NX_TUI: 'false',
        NX_NO_CLOUD: 'true',
        NX_SKIP_NX_CACHE: 'false',
        CI: 'true',
      },
    })
    return { stdout, result: await readFile(output, 'utf8') }
  }
  const first = await build('one')
  const second = await build('two')
  expect(second.stdout).toContain('remote cache')
  expect(second.result).toBe(first.result)
  const metrics = await (await fetch(`${store.url}/metrics`)).text()
  // One PUT: had it not answered exactly 200, there would be more.
  expect(metrics).toMatch(/^message_store_puts_total\{outcome="created",family="nx".*\} 1$/m)
  expect(metrics).not.toMatch(/^message_store_puts_total\{outcome="(exists|replaced)",family="nx"/m)
})
