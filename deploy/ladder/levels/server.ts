import { join } from 'node:path'
import { isWorkload, parseObjects } from '../../kustomize/objects.ts'
import { deployFolder, render, targets } from '../../kustomize/render.ts'
import { foreignSchemas } from '../foreign-schemas.ts'
import { startJudge } from '../judge.ts'
import type { Level } from '../level.ts'

/**
 * Every overlay and scenario is taken by a real API server (`--dry-run=server`), and one with a defect is not. `npm test` does
 * the same, each as a test of its own, where the binaries are in the cache (server.test.ts).
 */
export const server: Level = async ({ folder, binaries, kustomize, table }) => {
  const started = performance.now()
  const schemas = await foreignSchemas(true)
  await using judge = await startJudge({ folder, binaries, schemas })
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

  const dev = parseObjects(rendered.get('overlays/dev') ?? '').filter(isWorkload)
  const broken = dev.slice(0, 1).map((workload) => ({ ...workload, spec: { ...workload.spec, livenes: true } }))
  const refused = await judge.dryRun(broken).then(
    () => 'taken',
    () => 'refused',
  )
  table.add('an unknown field', refused)
  if (refused === 'taken')
    throw new Error('the API server took a workload with an unknown field: this level proves nothing')
}

export const namespacesOf = (texts: Iterable<string>): ReadonlySet<string> =>
  new Set([...texts].flatMap((text) => parseObjects(text).flatMap(({ metadata }) => metadata.namespace ?? [])))

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`
