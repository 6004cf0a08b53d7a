import { spawnSync, type SpawnOptions } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname } from 'node:path'

/** The operating-system account that PostgreSQL runs as, and how a program is started as it. */
export interface Account {
  /** Undefined: the account of this process. */
  readonly uid?: number
  readonly gid?: number
  /** Words before the program's own, and options for `spawn`. */
  readonly prefix: readonly string[]
  readonly options: Pick<SpawnOptions, 'uid' | 'gid'>
}

const asMyself: Account = { prefix: [], options: {} }

/**
 * PostgreSQL refuses to run as root, and initdb wants a passwd entry for its uid. An ordinary user runs it himself;
 * root hands it to `postgres` or, failing that, `nobody`.
 *
 * A root checkout often lies under a 0700 folder such as /root, which that account cannot enter. There the program
 * is started through `setpriv` with the one capability to pass folders (CAP_DAC_OVERRIDE, which root has in a default
 * container), instead of loosening the folder's mode behind the owner's back.
 */
export function postgresAccount(mustReach: readonly string[]): Account {
  if (process.getuid?.() !== 0) {
    try {
      userInfo()
    } catch (cause) {
      throw new Error(
        `initdb needs an entry in /etc/passwd for uid ${process.getuid?.()}; add one, or give the URL of a PostgreSQL server`,
        { cause },
      )
    }
    return asMyself
  }
  const found = passwdEntry('postgres') ?? passwdEntry('nobody')
  if (found === undefined) {
    throw new Error(
      'PostgreSQL refuses to run as root, and there is no user "postgres" or "nobody" to run it as; start as an ordinary user',
    )
  }
  const direct: Account = { ...found, prefix: [], options: { uid: found.uid, gid: found.gid } }
  const closed = mustReach.find((path) => !canReach(direct, path))
  if (closed === undefined) return direct
  const capable: Account = {
    ...found,
    prefix: [
      'setpriv',
      `--reuid=${found.uid}`,
      `--regid=${found.gid}`,
      '--clear-groups',
      '--inh-caps=-all,+dac_override',
      '--ambient-caps=-all,+dac_override',
      '--',
    ],
    options: {},
  }
  if (mustReach.every((path) => canReach(capable, path))) return capable
  throw new Error(
    `PostgreSQL runs as "${found.name}" because it refuses root, and that user cannot enter ${closedFolder(closed)}; ` +
      'put the data folder and the checkout where others may enter, or start as an ordinary user',
  )
}

function canReach({ prefix, options }: Account, path: string): boolean {
  const [command, ...args] = [...prefix, '/bin/sh', '-c', 'test -r "$1"', 'sh', path]
  return spawnSync(command, args, { ...options, cwd: '/', stdio: 'ignore' }).status === 0
}

function closedFolder(path: string): string {
  const above: string[] = []
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) above.unshift(folder)
  return above.find((folder) => (statSync(folder).mode & 0o001) === 0) ?? path
}

function passwdEntry(name: string): { name: string; uid: number; gid: number } | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { name, uid: Number(uid), gid: Number(gid) }
}
