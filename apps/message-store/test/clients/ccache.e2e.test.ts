import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore } from '../message-store-process.ts'
import { describeWithClient, run } from './client.ts'

const counter = (statistics: string, name: string): number =>
  Number(new RegExp(`^${name}\\s+(\\d+)$`, 'm').exec(statistics)?.[1])

await describeWithClient({ packageName: 'ccache', program: 'ccache' }, () => {
  test.each(['subdirs', 'flat', 'bazel'])(
    'the layout %s: a compilation is found by another machine',
    async (layout) => {
      await using folder = await temporaryFolder()
      await using store = await startMessageStore(join(folder.path, 'store'))
      await writeFile(join(folder.path, 'a.c'), 'int answer(void) { return 42; }\n')
      const compile = async (machine: string): Promise<string> => {
        const env = {
          CCACHE_DIR: join(folder.path, machine),
          CCACHE_REMOTE_STORAGE: `${store.url}/ccache|layout=${layout}`,
          CCACHE_NOHASHDIR: '1',
        }
        await run('ccache', ['gcc', '-c', 'a.c', '-o', 'a.o'], { cwd: folder.path, env })
        return (await run('ccache', ['--print-stats'], { env })).stdout
      }
      const first = await compile('one')
      expect([counter(first, 'cache_miss'), counter(first, 'remote_storage_error')]).toEqual([1, 0])
      const second = await compile('two')
      expect([counter(second, 'direct_cache_hit'), counter(second, 'cache_miss')]).toEqual([1, 0])
      expect([counter(second, 'remote_storage_hit') > 0, counter(second, 'remote_storage_error')]).toEqual([true, 0])
    },
  )
})
