import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Project } from './boundaries.ts'

export const workspaceRoot = fileURLToPath(new URL('../..', import.meta.url))

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly nx?: { readonly implicitDependencies?: readonly string[] }
}

const kinds = { apps: 'app', libs: 'lib' } as const
const scope = '@ballast/'

/** Every project of the workspace with its edges inside it, read from the package.json files that pnpm enforces. */
export function readProjects(root = workspaceRoot): Project[] {
  const grouped = (['apps', 'libs'] as const).flatMap((group) =>
    readdirSync(join(root, group)).map((folder) => readProject(join(root, group, folder), kinds[group])),
  )
  return [...grouped, readProject(join(root, 'tools'), 'tool'), readProject(join(root, 'deploy'), 'deploy')]
}

function readProject(folder: string, kind: Project['kind']): Project {
  const manifest: Manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const name = manifest.name.slice(scope.length)
  return {
    name,
    kind: name === 'testing' ? 'testing' : kind,
    dependencies: inWorkspace(manifest.dependencies),
    devDependencies: inWorkspace(manifest.devDependencies),
    starts: manifest.nx?.implicitDependencies ?? [],
  }
}

function inWorkspace(dependencies: Manifest['dependencies'] = {}): string[] {
  return Object.keys(dependencies)
    .filter((name) => name.startsWith(scope))
    .map((name) => name.slice(scope.length))
}
