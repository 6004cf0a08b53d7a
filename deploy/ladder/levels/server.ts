import { join } from 'node:path'
import { isWorkload, parseObjects } from '../../kustomize/objects.ts'
import { deployFolder, render, targets } from '../../kustomize/render.ts'
import { startControlPlane } from '../control-plane.ts'
import { foreignKinds } from '../crds.ts'
import { waitFor } from '../daemon.ts'
import type { Level } from '../level.ts'

/** Every overlay and scenario is taken by a real API server (`--dry-run=server`), and one with a defect is not. */
export const server: Level = async ({ folder, binaries, kustomize, table }) => {
  const started = performance.now()
  await using plane = await startControlPlane({ folder, binaries })
  const { kubectl } = plane
  table.add('control plane ready', seconds(started))
  await kubectl.apply(foreignKinds)
  await waitFor('the other kinds', plane.daemons, () => kubectl.run(['get', 'clusters.postgresql.cnpg.io']))
  const rendered = new Map<string, string>()
  for (const target of targets) rendered.set(target, await render(kustomize, join(deployFolder, target)))
  const namespaces = new Set(
    [...rendered.values()].flatMap((text) => parseObjects(text).flatMap(({ metadata }) => metadata.namespace ?? [])),
  )
  // A dry run makes no namespace that the objects after it could be in.
  for (const name of namespaces) {
    const labels = {
      'pod-security.kubernetes.io/warn': 'restricted',
      'pod-security.kubernetes.io/enforce': 'restricted',
    }
    await kubectl.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }])
  }
  const begun = performance.now()
  let objects = 0
  for (const [target, text] of rendered) {
    const answer = await kubectl.apply(text, '--dry-run=server', '--validate=strict').catch((error: unknown) => {
      throw new Error(`${target}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
    objects += answer.trim().split('\n').length
  }
  table.add(`${rendered.size} overlays and scenarios, ${objects} objects, dry run`, seconds(begun))

  const dev = parseObjects(rendered.get('overlays/dev') ?? '').filter(isWorkload)
  const broken = dev.slice(0, 1).map((workload) => ({ ...workload, spec: { ...workload.spec, livenes: true } }))
  const refused = await kubectl.apply(broken, '--dry-run=server', '--validate=strict').then(
    () => 'taken',
    () => 'refused',
  )
  table.add('an unknown field', refused)
  if (refused === 'taken')
    throw new Error('the API server took a workload with an unknown field: this level proves nothing')
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`
