import { spawnSync } from 'node:child_process'
import type { Project } from './boundaries.ts'
import { workspaceRoot } from './projects.ts'

/** The projects that Nx would run again after a change of `file`, by its own answer. */
export function affectedBy(file: string): string[] {
  const { stdout, stderr, status } = spawnSync('nx', ['show', 'projects', '--affected', `--files=${file}`, '--json'], {
    cwd: workspaceRoot,
    encoding: 'utf8',
    env: { ...process.env, NX_DAEMON: 'false' },
  })
  if (status !== 0) throw new Error(`nx could not say what ${file} affects: ${stderr}`)
  const names: string[] = JSON.parse(stdout)
  return names.toSorted()
}

/** The project and all that depend on it, over any number of steps, by their package.json files. */
export function dependents(name: string, projects: readonly Project[]): string[] {
  const found = new Set([name])
  for (let size = 0; size < found.size;) {
    size = found.size
    for (const project of projects) {
      const used = [...project.dependencies, ...project.devDependencies, ...project.starts]
      if (used.some((other) => found.has(other))) found.add(project.name)
    }
  }
  return [...found].toSorted()
}
