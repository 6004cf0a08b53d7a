import { join } from 'node:path'
import { isWorkload, parseObjects, podsIn, type KubernetesObject } from '../../kustomize/objects.ts'
import { deployFolder, render, targets } from '../../kustomize/render.ts'
import { foreignSchemas } from '../foreign-schemas.ts'
import { startJudge, type Judge } from '../judge.ts'
import type { Level } from '../level.ts'

/**
 * Every overlay and scenario is taken by a real API server (`--dry-run=server`), and one with a defect is not. `npm test` does
 * the same, each as a test of its own, where the binaries are in the cache (server.test.ts).
 */
export const server: Level = async ({ folder, binaries, kustomize, table, resources }) => {
  const started = performance.now()
  const schemas = await foreignSchemas(true)
  const judge = await resources.use(await startJudge({ folder, binaries, schemas }))
  table.add(
    `API server ready, ${schemas === undefined ? 'without' : 'with'} the schemas of other kinds`,
    seconds(started),
  )
  const rendered = new Map<string, string>()
  for (const target of targets) rendered.set(target, await render(kustomize, join(deployFolder, target)))
  await judge.haveNamespaces(namespacesOf(rendered.values()))
  const begun = performance.now()
  let objects = 0
  for (const [target, text] of rendered) {
    objects += await judge.dryRun(text).catch((error: unknown) => {
      throw new Error(`${target}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    })
  }
  table.add(`${rendered.size} overlays and scenarios, ${objects} objects, dry run`, seconds(begun))

  const pods = podsToJudge([...rendered.values()].flatMap((text) => parseObjects(text)))
  await judge.haveNamespaces([judged])
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: judged } }
  await judge.kubectl.apply([account])
  table.add('pods of all their workloads and jobs, by the restricted standard', `${await judge.dryRun(pods)} taken`)
  const [pod] = pods
  const asRoot = { ...pod, spec: { ...pod?.spec, securityContext: {} } }
  table.add('a pod that may run as root', await verdictOn(judge, [asRoot]))

  const dev = parseObjects(rendered.get('overlays/dev') ?? '').filter(isWorkload)
  const broken = dev.slice(0, 1).map((workload) => ({ ...workload, spec: { ...workload.spec, livenes: true } }))
  table.add('a workload with an unknown field', await verdictOn(judge, broken))
}

/** What must be refused, or this level proves nothing. */
async function verdictOn(judge: Judge, objects: readonly object[]): Promise<string> {
  const taken = await judge.dryRun(objects).catch(() => undefined)
  if (taken !== undefined) throw new Error(`the API server took ${JSON.stringify(objects)}: this level proves nothing`)
  return 'refused'
}

const judged = 'judged'

/** Each pod that anything would make, once, in a namespace that enforces the restricted standard; without controllers nobody makes them. */
function podsToJudge(objects: readonly KubernetesObject[]): readonly { readonly spec: object }[] {
  const different = new Map(podsIn(objects).map(({ owner, pod }) => [JSON.stringify(pod), { owner, pod }]))
  return [...different.values()].map(({ owner, pod }, index) => {
    const { volumes = [] } = pod
    const mounts = pod.containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name))
    // Those of a StatefulSet's templates.
    const claimed = [...new Set(mounts)].filter((name) => !volumes.some((volume) => volume.name === name))
    const all = [...volumes, ...claimed.map((name) => ({ name, emptyDir: {} }))]
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${owner.metadata.name}-${index}`, namespace: judged },
      spec: { ...pod, serviceAccountName: 'default', volumes: all },
    }
  })
}

export const namespacesOf = (texts: Iterable<string>): ReadonlySet<string> =>
  new Set([...texts].flatMap((text) => parseObjects(text).flatMap(({ metadata }) => metadata.namespace ?? [])))

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`
