import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore } from '../message-store-process.ts'
import { describeWithClient, run } from './client.ts'

const build = `
genrule(name = "small", outs = ["small.txt"], cmd = "echo small > $@")
genrule(name = "large", outs = ["large.bin"], cmd = "head -c 3000000 /dev/zero > $@")
`

await describeWithClient({ packageName: 'bazel-bootstrap', program: 'bazel' }, () => {
  // One server of Bazel for both, since it takes seconds to start; each URL is a cache of its own.
  test('what one build made the next one takes from the cache', async () => {
    await using folder = await temporaryFolder()
    await using store = await startMessageStore(join(folder.path, 'store'))
    const workspace = join(folder.path, 'workspace')
    const home = join(folder.path, 'home')
    await mkdir(workspace)
    await writeFile(join(workspace, 'WORKSPACE'), '')
    await writeFile(join(workspace, 'BUILD'), build)
    const bazel = (...args: string[]) =>
      run('bazel', [`--output_user_root=${home}`, '--max_idle_secs=60', ...args], {
        cwd: workspace,
        env: { HOME: folder.path },
      })
    try {
      for (const cache of [`${store.url}/bazel/main`, store.url]) {
        const make = () => bazel('build', `--remote_cache=${cache}`, '--spawn_strategy=local', '//:small', '//:large')
        expect((await make()).stderr).not.toContain('remote cache hit')
        await bazel('clean')
        expect((await make()).stderr).toContain('2 remote cache hit')
        await bazel('clean')
      }
    } finally {
      await bazel('shutdown')
    }
  })
})
