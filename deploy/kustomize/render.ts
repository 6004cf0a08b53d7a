import { execFile } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findKustomize, type Kustomize } from './find-kustomize.ts'
import { generatedFiles, overlays } from './generated.ts'
import { scenarios } from './scenarios.ts'

const run = promisify(execFile)
export const deployFolder = fileURLToPath(new URL('..', import.meta.url))

/** Everything that can be deployed: folders below deploy/. */
export const targets: readonly string[] = [
  ...overlays.map((name) => `overlays/${name}`),
  ...scenarios().map(({ name }) => `scenarios/${name}`),
]

/** What `kubectl apply -k` would send. Rejects with kustomize's own words. */
export async function render({ program, args }: Kustomize, folder: string): Promise<string> {
  const { stdout } = await run(program, [...args, folder], { maxBuffer: 64 << 20 })
  return stdout
}

async function write(): Promise<void> {
  const files = await generatedFiles()
  for (const name of await readdir(join(deployFolder, 'scenarios')).catch(() => [])) {
    if (!files.has(`scenarios/${name}/kustomization.yaml`))
      await rm(join(deployFolder, 'scenarios', name), { recursive: true })
  }
  for (const [path, content] of files) {
    await mkdir(dirname(join(deployFolder, path)), { recursive: true })
    await writeFile(join(deployFolder, path), content)
  }
  const kustomize = await findKustomize(true)
  if (kustomize === undefined) throw new Error('there is no kustomize 5, no kubectl with it, and no Go to build it')
  await mkdir(join(deployFolder, 'rendered'), { recursive: true })
  for (const name of overlays) {
    await writeFile(
      join(deployFolder, `rendered/${name}.yaml`),
      await render(kustomize, join(deployFolder, 'overlays', name)),
    )
  }
  process.stdout.write(
    `${files.size} files and ${overlays.length} rendered overlays written, by kustomize ${kustomize.version}\n`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await write()
