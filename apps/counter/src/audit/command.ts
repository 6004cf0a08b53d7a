import { ConfigError, sentence, type Service } from '@ballast/service'
import type { RecountConfig } from '../config.ts'
import { openStore } from '../open-store.ts'
import { DamagedAuditLogError } from './read-audit-log.ts'
import { recount, type Recount } from './recount.ts'

const mostShown = 20

/** Returns the exit code: 0 when every counter is the sum of its changes, 1 when not. */
export async function recountCommand({ config }: Pick<Service<RecountConfig>, 'config'>): Promise<number> {
  const { auditLog: paths, json } = config
  if (paths.length === 0) throw new ConfigError('--audit-log is missing: name the log of each process that wrote')
  await using store = await openStore(config.store, '--store')
  const result = await recount(store, paths).catch((error: unknown) => {
    if (error instanceof DamagedAuditLogError) return { damage: sentence(error) }
    throw error
  })
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else for (const line of 'damage' in result ? [result.damage] : linesOf(result)) process.stdout.write(`${line}\n`)
  return 'damage' in result || result.differences.length > 0 ? 1 : 0
}

function linesOf({ counters, records, stated, tornBytes, differences }: Recount): string[] {
  const lines = differences.slice(0, mostShown)
  if (differences.length > mostShown) lines.push(`and ${differences.length - mostShown} more`)
  if (tornBytes > 0) lines.push(`a last line of ${tornBytes} bytes was not finished: nobody was answered for it`)
  if (stated > 0)
    lines.push(`${stated} times the log took over what the store held: from before the log, or after a crash`)
  const verdict = differences.length === 0 ? 'each is the sum of its changes' : `${differences.length} differences`
  return [...lines, `${counters} counters, ${records} records: ${verdict}`]
}
