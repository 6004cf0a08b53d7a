import { namedByScheme, splitScheme } from '../split-scheme.ts'
import { orChooseAnother } from '../start-error.ts'
import type { WorkItemStore } from './port.ts'

export interface OpenWorkItemOptions {
  /** Named in `pg_stat_activity`. */
  readonly applicationName?: string
  /** How long one statement may take. Default: 10 s. */
  readonly timeoutMs?: number
  /** What the user turns to choose another store, for the sentence that says why this one cannot be opened. */
  readonly setting?: string
}

/**
 * `postgres://` or `postgresql://`, or `memory:` (gone with the process, which then is leader and workers in one: for tests).
 * @throws Error one sentence about the URL or the database.
 */
export function openWorkItemStore(
  url: string,
  { setting, ...options }: OpenWorkItemOptions = {},
): Promise<WorkItemStore> {
  return orChooseAnother(setting, () => open(url, options))
}

async function open(given: string, options: Omit<OpenWorkItemOptions, 'setting'>): Promise<WorkItemStore> {
  const split = splitScheme(given)
  const { url, scheme } = split
  switch (scheme) {
    case 'postgres':
    case 'postgresql': {
      const { openPostgresWorkItems } = await import('./postgres.ts')
      return openPostgresWorkItems({ url, ...options })
    }
    case 'memory': {
      const { openMemoryWorkItems } = await import('./memory.ts')
      return openMemoryWorkItems()
    }
    default:
      throw new Error(`no work-item store for ${namedByScheme(split)}; give a postgres:// URL`)
  }
}
