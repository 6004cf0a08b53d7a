/** What INFO and CONFIG tell of a server that decides whether it can keep the promises, and which. */
export interface ServerFacts {
  readonly version: string
  /** New at every start of the server. */
  readonly runId: string
  readonly isPrimary: boolean
  /** An answered write is in a file: it is there again after kill -9 of the server. */
  readonly survivesRestart: boolean
  /** An answered write is on the server's disk. */
  readonly fsyncedLocal: boolean
  /** The end of a sentence on the server; missing when it may be used. */
  readonly problem?: string
  /** What an answered write can be lost to; missing when to nothing that a file can survive. */
  readonly caveat?: string
}

/** What the server does with `appendonly yes`; both are missing where it does not say (managed ones do not). */
export interface SyncSettings {
  readonly appendfsync?: string
  readonly 'no-appendfsync-on-rewrite'?: string
}

/** The oldest version on which the scripts are tested. */
const oldest = 7

/** `mayForget`: for a cache, which any eviction policy suits. */
export function judgeServer(info: string, settings: SyncSettings, mayForget: boolean): ServerFacts {
  const fields = new Map(
    info
      .split(/\r?\n/)
      .map((line) => line.split(':', 2))
      .flatMap(([key, value]) => (key !== undefined && value !== undefined ? [[key, value] as const] : [])),
  )
  const version = fields.get('redis_version') ?? 'unknown'
  const problem = problemOf(fields, version, mayForget)
  const caveat = caveatOf(fields, settings)
  return {
    version,
    runId: fields.get('run_id') ?? '',
    isPrimary: fields.get('role') === 'master',
    survivesRestart: hasAppendOnlyFile(fields),
    fsyncedLocal: caveat === undefined,
    ...(problem !== undefined && { problem }),
    ...(caveat !== undefined && { caveat }),
  }
}

const hasAppendOnlyFile = (fields: ReadonlyMap<string, string>): boolean => fields.get('aof_enabled') === '1'

function caveatOf(fields: ReadonlyMap<string, string>, settings: SyncSettings): string | undefined {
  if (!hasAppendOnlyFile(fields)) {
    return 'Redis writes no append-only file: its restart takes answered writes with it; set appendonly yes and appendfsync always'
  }
  const { appendfsync = 'unknown' } = settings
  if (appendfsync === 'always' && settings['no-appendfsync-on-rewrite'] !== 'no') {
    return 'Redis does not sync its append-only file while it rewrites it: loss of power then takes answered writes with it; set no-appendfsync-on-rewrite no'
  }
  return caveats[appendfsync]
}

const caveats: Readonly<Record<string, string | undefined>> = {
  always: undefined,
  everysec:
    'Redis syncs its append-only file once a second: loss of power takes the last two seconds of answered writes with it; set appendfsync always',
  no: 'Redis leaves it to the kernel when its append-only file is synced: loss of power takes half a minute of answered writes with it; set appendfsync always',
  unknown:
    'Redis does not tell how its append-only file is synced: unless appendfsync is always, loss of power takes answered writes with it',
}

function problemOf(fields: ReadonlyMap<string, string>, version: string, mayForget: boolean): string | undefined {
  const major = Number.parseInt(version, 10)
  if (!(major >= oldest)) return `it is version ${version}, and ${oldest}.0 or later is needed: upgrade it`
  if (fields.get('redis_mode') === 'cluster' || fields.get('cluster_enabled') === '1')
    return 'it is part of a cluster, where one atomic step cannot span its nodes: give a server that stands alone'
  const role = fields.get('role')
  if (role !== 'master') return `it is a read-only replica (its role is ${role}): give the address of its primary`
  const policy = fields.get('maxmemory_policy')
  if (!mayForget && policy !== 'noeviction')
    return `its maxmemory-policy is ${policy}, under which it forgets data when memory is short: set it to noeviction`
  return undefined
}
