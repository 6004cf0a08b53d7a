/** The facts of INFO that decide whether a server can keep the promises, and which. */
export interface ServerFacts {
  readonly version: string
  /** One sentence; missing when the server can be written to. */
  readonly problem?: string
  /** What an acknowledged write can be lost to; missing when to nothing that a file can survive. */
  readonly caveat?: string
}

const oldest = 7

/** `fsync` is the server's appendfsync when it lets us ask (managed ones do not). */
export function judgeServer(info: string, fsync: string | undefined): ServerFacts {
  const fields = new Map(
    info
      .split(/\r?\n/)
      .map((line) => line.split(':', 2))
      .flatMap(([key, value]) => (key !== undefined && value !== undefined ? [[key, value] as const] : [])),
  )
  const version = fields.get('redis_version') ?? 'unknown'
  const problem = problemOf(fields, version)
  const caveat = fields.get('aof_enabled') === '1' ? caveats[fsync ?? ''] : caveats['no file']
  return { version, ...(problem !== undefined && { problem }), ...(caveat !== undefined && { caveat }) }
}

const caveats: Readonly<Record<string, string | undefined>> = {
  always: undefined,
  everysec:
    'Redis syncs its append-only file once a second: loss of power takes the last two seconds of answered writes with it; set appendfsync always',
  no: 'Redis leaves it to the kernel when its append-only file is synced: loss of power takes half a minute of answered writes with it; set appendfsync always',
  '': 'Redis does not tell how its append-only file is synced: unless appendfsync is always, loss of power takes answered writes with it',
  'no file':
    'Redis writes no append-only file: its restart takes answered writes with it; set appendonly yes and appendfsync always',
}

function problemOf(fields: ReadonlyMap<string, string>, version: string): string | undefined {
  const major = Number.parseInt(version, 10)
  if (!(major >= oldest)) return `it is version ${version}, and ${oldest}.0 or later is needed: upgrade it`
  if (fields.get('redis_mode') === 'cluster' || fields.get('cluster_enabled') === '1')
    return 'it is part of a cluster, where one atomic step cannot span its nodes: give a server that stands alone'
  const role = fields.get('role')
  if (role !== 'master') return `it is a read-only replica (its role is ${role}): give the address of its primary`
  const policy = fields.get('maxmemory_policy')
  if (policy !== 'noeviction')
    return `its maxmemory-policy is ${policy}, under which it forgets counters when memory is short: set it to noeviction`
  return undefined
}
