import { execFile } from 'node:child_process'
import { cp, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from '@ballast/backends/cache'
import { apps, root } from '../../image/apps.ts'
import type { Table } from '../level.ts'

const run = promisify(execFile)
/** In whose name the images of an earlier revision are kept on the node, so that both are there at once. */
export const earlierRegistry = 'localhost/ballast-earlier'

async function nx(cwd: string, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const command = ['tools/bootstrap.mjs', 'nx', 'run-many', '-t', 'image', '--outputStyle=static']
  const quiet = { NX_DAEMON: 'false', NX_TUI: 'false', NX_NO_CLOUD: 'true', IMAGE_ENGINE: 'none' }
  const options = { cwd, env: { ...process.env, ...quiet, ...env }, maxBuffer: 64 << 20, signal }
  const { stdout } = await run(process.execPath, command, options).catch((error: unknown) => {
    throw new Error(`the images of ${cwd} could not be built: ${outputOf(error)}`, { cause: error })
  })
  return stdout
}

/** The images of this checkout, as tars: built with nothing cached, and once more with everything, both timed. */
export async function buildImages(folder: string, table: Table, signal: AbortSignal): Promise<readonly string[]> {
  const env = { NX_CACHE_DIRECTORY: join(folder, 'nx/cache'), NX_WORKSPACE_DATA_DIRECTORY: join(folder, 'nx/data') }
  const times: string[] = []
  let output = ''
  for (const _ of ['cold', 'cached']) {
    const started = performance.now()
    output += await nx(root, env, signal)
    times.push(`${((performance.now() - started) / 1000).toFixed(1)} s`)
  }
  table.add('`nx run-many -t image`, four images with nothing cached, and again with everything', times.join(', '))
  const sizes = apps.map(({ name }) => new RegExp(`/${name}:\\S+ \\w+: ([\\d.]+) MB over`).exec(output)?.[1] ?? '?')
  const names = apps.map(({ name }) => name).join(', ')
  table.add(`megabytes over the base image (target: below 60): ${names}`, sizes.join(', '))
  const large = sizes.find((size) => !(Number(size) < 60))
  if (large !== undefined) throw new Error(`an image adds ${large} MB to its base`)
  return apps.map(({ name }) => join(root, 'deploy/dist', name, 'image.tar'))
}

/** The commit before the last one that changed an app or a lib: what is deployed where this one comes to. */
export async function earlierRevision(): Promise<string | undefined> {
  const git = ['log', '--max-count=1', '--format=%H', '--', 'apps', 'libs']
  const { stdout } = await run('git', git, { cwd: root }).catch(() => ({ stdout: '' }))
  return stdout.trim() === '' ? undefined : `${stdout.trim()}~1`
}

/** The images of an earlier revision, as tars, built in a clone of their own and kept in the user's cache. */
export async function earlierImages(revision: string, signal: AbortSignal): Promise<readonly string[]> {
  const { stdout } = await run('git', ['rev-parse', `${revision}^{commit}`], { cwd: root }).catch((cause: unknown) => {
    throw new Error(`there is no revision ${revision} to roll from: ${outputOf(cause)}`, { cause })
  })
  const commit = stdout.trim()
  const kept = await cached('earlier-images', `${commit} ${process.versions.node} ${process.arch}`, async (draft) => {
    const clone = join(draft, 'clone')
    await run('git', ['clone', '--quiet', '--shared', '--no-checkout', root, clone])
    await run('git', ['checkout', '--quiet', '--detach', commit], { cwd: clone })
    await nx(clone, { IMAGE_REGISTRY: earlierRegistry }, signal)
    await mkdir(join(draft, 'images'))
    for (const { name } of apps)
      await cp(join(clone, 'deploy/dist', name, 'image.tar'), join(draft, 'images', `${name}.tar`))
    await rm(clone, { recursive: true })
  })
  return apps.map(({ name }) => join(kept, 'images', `${name}.tar`))
}

const outputOf = (error: unknown): string => {
  const said =
    error instanceof Error ? `${Reflect.get(error, 'stderr') || Reflect.get(error, 'stdout') || error.message}` : ''
  return said.trim().split('\n').slice(-5).join(' ')
}
