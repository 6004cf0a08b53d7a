import { spawnSync } from 'node:child_process'
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from '@ballast/backends/cache'
import { stage } from '../stage.ts'
import { appImage } from './app-image.ts'
import { apps, root, versionOf } from './apps.ts'
import { buildWithEngine, engines, findEngine, type Engine } from './engine.ts'
import { npmBase, npmBaseRecipe } from './npm-base.ts'
import { readLayout, writeLayout } from './oci.ts'
import { sbom } from './sbom.ts'

/**
 * `node deploy/image/main.ts <app> [folder]`: the image of an app, from its bundle (`nx build`), by the first of these that works:
 * an engine (docker, podman, buildah; IMAGE_ENGINE names one, or `none`) on BASE_IMAGE (default node:24-slim), or, without
 * any engine or registry, this script on a base made of the npm package `node`. BASE_IMAGE=oci:<folder> is a base on disk.
 * Writes {image.tar (an OCI layout), sbom.cdx.json} into the folder, default deploy/dist/<app>, which is replaced; an engine keeps its image itself.
 */
async function buildImage(name: string | undefined, folder: string | undefined): Promise<void> {
  const app = apps.find((known) => known.name === name)
  if (app === undefined) throw new Error(`usage: main.ts ${apps.map(({ name }) => name).join('|')}`)
  const { BASE_IMAGE: base = 'node:24-slim', IMAGE_ENGINE: wanted = 'auto', IMAGE_REGISTRY: registry } = process.env
  const output = folder ?? join(root, 'deploy/dist', app.name)
  const staged = join(output, 'staged')
  const tag = `${registry || 'localhost/ballast'}/${app.name}:${await versionOf(app)}`

  await rm(output, { recursive: true, force: true })
  await stage(app.name, staged, { sourceMaps: false })
  const materials = await sbom(app, join(root, 'apps', app.name, 'dist'), staged, root)
  await writeFile(join(output, 'sbom.cdx.json'), materials)

  const engine = base.startsWith('oci:') || wanted === 'none' ? undefined : findEngine(base, engineNames(wanted))
  if (engine === undefined && wanted !== 'auto' && wanted !== 'none') {
    throw new Error(
      `${wanted} does not run here, or cannot pull ${base}: name another BASE_IMAGE, or IMAGE_ENGINE=none`,
    )
  }
  if (engine !== undefined) {
    await cp(fileURLToPath(new URL('probe.mjs', import.meta.url)), join(staged, 'probe.mjs'))
    await cp(join(output, 'sbom.cdx.json'), join(staged, 'sbom.cdx.json'))
    await mkdir(join(staged, 'data'))
    await buildWithEngine(engine, app, staged, base, tag)
    say(`${tag} by ${engine} on ${base}`)
    return
  }
  if (process.env['BASE_IMAGE'] !== undefined && !base.startsWith('oci:')) {
    throw new Error(`no engine here can pull BASE_IMAGE ${base}: use BASE_IMAGE=oci:<folder>, or leave it out`)
  }
  const layout = base.startsWith('oci:')
    ? base.slice(4)
    : await cached('node-base', npmBaseRecipe(), async (draft) => void (await npmBase(draft)))
  const below = await readLayout(layout)
  const image = await appImage(app, staged, materials, below)
  const id = await writeLayout(join(output, 'image'), tag, image)
  pack(join(output, 'image'), join(output, 'image.tar'))
  for (const draft of [staged, join(output, 'image')]) await rm(draft, { recursive: true })
  const added = image.layers.slice(below.layers.length).reduce((sum, { unpackedBytes }) => sum + unpackedBytes, 0)
  say(
    `${tag} ${id.slice(7, 19)}: ${(added / 1e6).toFixed(1)} MB over its base, ${base.startsWith('oci:') ? base : 'the npm package node'}`,
  )
}

function engineNames(wanted: string): readonly Engine[] {
  return wanted === 'auto' ? engines : engines.filter((engine) => engine === wanted)
}

/** What `docker load`, `podman load`, `skopeo copy oci-archive:` and `ctr images import` take. */
function pack(folder: string, file: string): void {
  const fixed = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
  const { status, stderr } = spawnSync('tar', ['-cf', file, ...fixed, '-C', folder, '.'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tar failed: ${stderr}`)
}

const say = (line: string): void => void process.stdout.write(`${line}\n`)

await buildImage(process.argv[2], process.argv[3]).catch((error: unknown) => {
  process.stderr.write(`image: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
})
