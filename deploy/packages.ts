import { cp, mkdir, readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/**
 * Copies packages and all that they depend on out of pnpm's store layout into one flat node_modules.
 * Optional dependencies of other platforms are absent from the store and so from the copy.
 * Rejects when two versions of one package would have to share a name: a flat folder cannot hold both.
 */
export async function copyPackages(folders: readonly string[], target: string): Promise<void> {
  const found = new Map<string, { folder: string; version: string }>()
  for (const folder of folders) await collect(folder, found)
  for (const [name, { folder }] of found) {
    await mkdir(dirname(join(target, name)), { recursive: true })
    await cp(folder, join(target, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => basename(path) !== 'node_modules',
    })
  }
}

async function collect(folder: string, found: Map<string, { folder: string; version: string }>): Promise<void> {
  const manifest: Manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
  const known = found.get(manifest.name)
  if (known !== undefined && known.version !== manifest.version) {
    throw new Error(`${manifest.name} is needed as ${known.version} and as ${manifest.version}`)
  }
  if (known !== undefined) return
  found.set(manifest.name, { folder, version: manifest.version })
  // In pnpm's store a package and its dependencies are neighbours in one node_modules folder.
  const neighbours = folder.slice(0, -manifest.name.length)
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    const dependency = await realpath(join(neighbours, name)).catch(() => undefined)
    if (dependency !== undefined) await collect(dependency, found)
    else if (manifest.dependencies?.[name] !== undefined && manifest.optionalDependencies?.[name] === undefined) {
      throw new Error(`${manifest.name} depends on ${name}, which is not installed`)
    }
  }
}
