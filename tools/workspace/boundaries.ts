/**
 * Which project may depend on which. pnpm already refuses an undeclared import; this refuses the wrong declared ones.
 *
 * An app may use libs, a lib only the libs named here, nobody an app but deploy/, which ships them. Projects of type
 * `testing` are for tests: apps and libs have them as devDependency only. No cycles.
 */
export const allowedLibs: Readonly<Record<string, readonly string[]>> = {
  hashing: [],
  locking: [],
  metrics: [],
  console: ['service', 'metrics'],
  service: ['metrics', 'locking', 'hashing'],
  'state-stores': ['metrics', 'locking', 'hashing'],
}

/** From the project's Nx tag `type:...`. */
export const projectKinds = ['app', 'lib', 'testing', 'tool', 'deploy'] as const

export interface Project {
  readonly name: string
  readonly kind: (typeof projectKinds)[number]
  readonly dependencies: readonly string[]
  readonly devDependencies: readonly string[]
  /** Projects whose processes it starts without importing them (Nx: implicitDependencies). */
  readonly starts: readonly string[]
}

/** One sentence per violation; empty when the graph is as it should be. */
export function violations(projects: readonly Project[]): string[] {
  const byName = new Map(projects.map((project) => [project.name, project]))
  const found: string[] = []
  for (const project of projects) {
    for (const name of project.dependencies) {
      const target = byName.get(name)
      if (target === undefined) continue
      const reason = refuse(project, target)
      if (reason !== undefined) found.push(`${project.name} -> ${name}: ${reason}`)
    }
    for (const name of project.devDependencies) {
      const target = byName.get(name)
      if (target?.kind === 'app') found.push(`${project.name} -> ${name}: nobody depends on an app`)
    }
  }
  return [...found, ...cycles(projects)]
}

function refuse(from: Project, to: Project): string | undefined {
  if (to.kind === 'testing') {
    return from.kind === 'app' || from.kind === 'lib' ? `${to.name} is for tests: make it a devDependency` : undefined
  }
  if (to.kind === 'app') return from.kind === 'deploy' ? undefined : 'nobody depends on an app'
  if (to.kind !== 'lib') return `nobody depends on ${to.name}`
  if (from.kind === 'lib' && !allowedLibs[from.name]?.includes(to.name)) {
    return `${from.name} may use ${allowedLibs[from.name]?.join(', ') || 'no other lib'}`
  }
  if (from.kind === 'testing') return 'what tests use must not use what they test'
  return undefined
}

function cycles(projects: readonly Project[]): string[] {
  const edges = new Map(projects.map(({ name, dependencies }) => [name, dependencies]))
  const found = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name)
    if (start >= 0) {
      const members = path.slice(start)
      // Each member starts its own search; the cycle is reported once, from its alphabetically first member.
      if (members.every((member) => member >= name)) found.add(`cycle: ${[...members, name].join(' -> ')}`)
      return
    }
    for (const next of edges.get(name) ?? []) visit(next, [...path, name])
  }
  for (const { name } of projects) visit(name, [])
  return [...found]
}
