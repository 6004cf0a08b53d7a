import { ConfigError, type Service } from '@ballast/service'
import type { CopyConfig } from '../config.ts'
import { openStore } from '../open-store.ts'
import { copyCounters, type CopyResult } from './copy-counters.ts'

const mostShown = 20

/** Returns the exit code: 0 when the target has all counters, 1 when it is not as it should be. */
export async function copyCommand({ config, log }: Pick<Service<CopyConfig>, 'config' | 'log'>): Promise<number> {
  if (config.from === config.to) throw new ConfigError('--from and --to name the same store')
  await using source = await openStore(config.from, '--from')
  await using target = await openStore(config.to, '--to')
  const result = await copyCounters(source, target, {
    overwrite: config.overwrite,
    onProgress: (copied) => log.debug({ copied }, 'copying'),
  })
  if (config.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else for (const line of linesOf(result)) process.stdout.write(`${line}\n`)
  return result.refused.length + result.differences.length > 0 ? 1 : 0
}

function linesOf({ copied, present, refused, differences }: CopyResult): string[] {
  const wrong = [...refused, ...differences]
  const lines = wrong.slice(0, mostShown)
  if (wrong.length > mostShown) lines.push(`and ${wrong.length - mostShown} more`)
  if (refused.length > 0) return [...lines, 'nothing was copied: the target has other content; --overwrite replaces it']
  const verdict = differences.length === 0 ? 'all are equal' : `${differences.length} differ`
  return [...lines, `${copied} counters copied, ${present} were there already: ${verdict}`]
}
