import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, run } from './run.ts'

let updated: Promise<unknown> | undefined

/**
 * Installs a Debian package when BACKENDS_INSTALL=1 says so, as CI does: a user's system is never changed unasked.
 * Returns the program, or undefined where that was not asked for or is not possible.
 */
export async function installWithApt(packageName: string, program: string): Promise<string | undefined> {
  if (process.env['BACKENDS_INSTALL'] !== '1' || process.getuid?.() !== 0) return undefined
  const apt = findProgram('apt-get')
  if (apt === undefined) return undefined
  // Test files run beside each other. An installation waits for dpkg's own lock; an update would give up on that of the lists.
  const wait = ['-o', 'DPkg::Lock::Timeout=300', '-q', '-y']
  const flock = findProgram('flock')
  const alone = flock === undefined ? [] : [flock, '--wait', '600', join(tmpdir(), 'ballast-apt.lock')]
  updated ??= run('env', [...alone, apt, ...wait, 'update'])
  await updated
  // The package would start its own server on the default port; a policy file of ours is not worth touching the system for.
  await run('env', [
    'RUNLEVEL=1',
    'DEBIAN_FRONTEND=noninteractive',
    ...alone,
    apt,
    ...wait,
    'install',
    '--no-install-recommends',
    packageName,
  ])
  return findProgram(program, ['/usr/sbin', '/usr/local/sbin'])
}
