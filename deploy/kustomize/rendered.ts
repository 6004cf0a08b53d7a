import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findKustomize } from './find-kustomize.ts'
import { overlays } from './generated.ts'
import { parseObjects, type KubernetesObject } from './objects.ts'
import { deployFolder, render, targets } from './render.ts'

export const kustomize = await findKustomize(process.env['BACKENDS'] === 'all')

export const committed = (overlay: string): Promise<string> =>
  readFile(join(deployFolder, `rendered/${overlay}.yaml`), 'utf8')

/** Objects of every overlay and scenario; without kustomize those of the overlays, as they were committed. */
export async function renderedObjects(): Promise<ReadonlyMap<string, KubernetesObject[]>> {
  const found = new Map<string, KubernetesObject[]>()
  if (kustomize === undefined) {
    for (const name of overlays) found.set(`overlays/${name}`, parseObjects(await committed(name)))
  } else {
    for (const target of targets) found.set(target, parseObjects(await render(kustomize, join(deployFolder, target))))
  }
  return found
}
