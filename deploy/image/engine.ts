import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { App } from './apps.ts'
import { processConfig } from './app-image.ts'

export const engines = ['docker', 'podman', 'buildah'] as const
export type Engine = (typeof engines)[number]

const dockerfile = fileURLToPath(new URL('Dockerfile', import.meta.url))
const ask = (program: string, ...args: string[]): boolean =>
  spawnSync(program, args, { stdio: 'ignore', timeout: 60_000 }).status === 0

/** An engine that works here and has, or can pull, this base image; undefined where there is none. */
export function findEngine(base: string, among: readonly Engine[] = engines): Engine | undefined {
  return among.find(
    (engine) =>
      ask(engine, 'info') &&
      (ask(engine, ...(engine === 'buildah' ? ['inspect', '--type', 'image', base] : ['image', 'inspect', base])) ||
        ask(engine, 'pull', '--quiet', base)),
  )
}

/**
 * Builds from the staged folder with an engine, as `<registry>/<app>:<version>` in its own storage. The Dockerfile has no
 * RUN: nothing is executed and nothing downloaded, so that it builds for other platforms than this one as well.
 */
export async function buildWithEngine(
  engine: Engine,
  app: App,
  staged: string,
  base: string,
  tag: string,
): Promise<void> {
  const { Labels = {} } = await processConfig(app, {})
  await writeFile(join(staged, '.dockerignore'), '.dockerignore\n')
  const labels = Object.entries(Labels).flatMap(([name, value]) => ['--label', `${name}=${value}`])
  const values = { BASE_IMAGE: base, PREFIX: app.prefix, NODE_FLAGS: app.nodeOptions ?? '' }
  const args = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  // HEALTHCHECK is docker's: the OCI format has no place for it, and buildah drops it there. A time of 0 makes the id reproducible.
  const format = engine === 'docker' ? [] : ['--format', 'docker', '--timestamp', '0']
  const build = engine === 'buildah' ? 'bud' : 'build'
  const command = [build, ...format, '--file', dockerfile, ...args, ...labels, '--tag', tag, staged]
  const { status } = spawnSync(engine, command, { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error(`${engine} could not build ${tag} (exit code ${status}): see above`)
}
