import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached, cachedFolder } from '@ballast/backends/cache'

const run = promisify(execFile)
const version = 'v5.8.0'
const recipe = `sigs.k8s.io/kustomize/kustomize/v5@${version}`

export interface Kustomize {
  readonly program: string
  readonly args: readonly string[]
  readonly version: string
}

/**
 * kustomize 5: on PATH, inside of kubectl, in the cache, or, with `fetch` and Go, built into the cache from the Go module
 * proxy. Undefined when there is none; older ones render other things.
 */
export async function findKustomize(fetch: boolean): Promise<Kustomize | undefined> {
  const fromPath = await ask('kustomize', ['version'])
  if (fromPath !== undefined) return { program: 'kustomize', args: ['build'], version: fromPath }
  const inKubectl = await ask('kubectl', ['version', '--client'])
  if (inKubectl !== undefined) return { program: 'kubectl', args: ['kustomize'], version: inKubectl }
  const folder = cachedFolder('kustomize', recipe) ?? (fetch ? await build() : undefined)
  return folder === undefined ? undefined : { program: join(folder, 'kustomize'), args: ['build'], version }
}

async function ask(program: string, args: readonly string[]): Promise<string | undefined> {
  const { stdout } = await run(program, args).catch(() => ({ stdout: '' }))
  return /\bv5\.\d+\.\d+/.exec(stdout)?.[0]
}

async function build(): Promise<string | undefined> {
  if ((await run('go', ['version']).catch(() => undefined)) === undefined) return undefined
  return cached('kustomize', recipe, async (draft) => {
    await run('go', ['install', recipe], { env: { ...process.env, GOBIN: draft, CGO_ENABLED: '0' } })
  })
}
