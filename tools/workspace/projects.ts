import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { projectKinds, type Project } from './boundaries.ts'

export const workspaceRoot = fileURLToPath(new URL('../..', import.meta.url))

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly nx?: { readonly tags?: readonly string[]; readonly implicitDependencies?: readonly string[] }
}

const scope = '@ballast/'

/** Every project of the workspace with its edges inside it, read from the package.json files that pnpm enforces. */
export function readProjects(root = workspaceRoot): Project[] {
  return globSync('{apps,libs,tools}/*/package.json', { cwd: root })
    .concat('tools/package.json', 'deploy/package.json')
    .map((path) => readProject(join(root, path)))
}

function readProject(path: string): Project {
  const manifest: Manifest = JSON.parse(readFileSync(path, 'utf8'))
  return {
    name: manifest.name.slice(scope.length),
    kind: kindOf(manifest),
    dependencies: inWorkspace(manifest.dependencies),
    devDependencies: inWorkspace(manifest.devDependencies),
    starts: manifest.nx?.implicitDependencies ?? [],
  }
}

function kindOf({ name, nx }: Manifest): Project['kind'] {
  const tag = nx?.tags?.find((text) => text.startsWith('type:'))?.slice('type:'.length)
  const kind = projectKinds.find((known) => known === tag)
  if (kind === undefined) throw new Error(`${name} needs one nx tag of type:${projectKinds.join(', type:')}`)
  return kind
}

function inWorkspace(dependencies: Manifest['dependencies'] = {}): string[] {
  return Object.keys(dependencies)
    .filter((name) => name.startsWith(scope))
    .map((name) => name.slice(scope.length))
}
