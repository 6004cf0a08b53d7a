import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BenchCase } from '../case.ts'
import { benchFolder } from '../folder.ts'
import { program } from '../server.ts'

interface Footprint {
  readonly startSeconds: number
  readonly rssMb: number
  readonly heapMb: number
}

/** In a process of its own, as memory is a process's. */
async function footprint(...args: readonly string[]): Promise<Footprint> {
  const [file = '', ...rest] = program('servers/counter-footprint.ts', ...args)
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', file, ...rest])
  const { startSeconds, rssMb, heapMb } = JSON.parse(stdout) as Footprint
  return { startSeconds, rssMb, heapMb }
}

export function millionCounters(what: 'start' | 'rss'): BenchCase {
  return {
    name: `counter/million-counters-${what}`,
    unit: what === 'start' ? 's' : 'MB',
    higherIsBetter: false,
    compares:
      what === 'start'
        ? 'from the call to the open file store, 1,000,000 counters in it'
        : 'peak resident memory of a process that opened 1,000,000 counters and adds to them',
    async open(stack) {
      const file = join(await benchFolder(stack), 'counter.json')
      await footprint(file, 'fill-counters', '1000000')
      return {
        async ours() {
          const { startSeconds, rssMb } = await footprint(file, 'use', '100000')
          return what === 'start' ? startSeconds : rssMb
        },
      }
    },
  }
}

export const memoryOfTokens: BenchCase = {
  name: 'counter/tokens-at-the-cap',
  unit: 'MB',
  higherIsBetter: false,
  compares: 'heap that 100,000 live tokens take, the default cap',
  async open(stack) {
    const folder = await benchFolder(stack)
    let files = 0
    return {
      ours: async () => (await footprint(join(folder, `${files++}.json`), 'fill-tokens', '100000')).heapMb,
    }
  },
}
