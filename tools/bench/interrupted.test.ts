import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startProcess, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

test.runIf(process.platform === 'linux')(
  'a benchmark that is interrupted takes the servers along that it started',
  async () => {
    await using bench = startProcess({ args: [main, 'load-tolerant-api', '--only', 'data-100'] })
    const servers = (): string[] => {
      const children = readFileSync(`/proc/${bench.pid}/task/${bench.pid}/children`, 'utf8').trim()
      return children === '' ? [] : children.split(' ')
    }
    await waitUntil(() => servers().length === 2, { what: 'both sides to be started' })
    const pids = servers()
    bench.kill('SIGTERM')
    expect((await bench.exit).code).toBe(143)
    await waitUntil(() => pids.every((pid) => !existsSync(`/proc/${pid}`)), { what: `${pids.join(', ')} to be gone` })
  },
)
