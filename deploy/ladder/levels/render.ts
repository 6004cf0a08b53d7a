import { join } from 'node:path'
import { parseObjects } from '../../kustomize/objects.ts'
import { deployFolder, render, targets } from '../../kustomize/render.ts'
import { violations } from '../../kustomize/rules.ts'
import { schemaErrors } from '../../kustomize/schema.ts'
import type { Level } from '../level.ts'

/** Everything renders, no rule is broken, every object fits its schema. Needs no cluster; `npm test` does the same. */
export const renderLevel: Level = async ({ kustomize, table }) => {
  for (const target of targets) {
    const objects = parseObjects(await render(kustomize, join(deployFolder, target)))
    const errors = await Promise.all(objects.map((object) => schemaErrors(object)))
    const [wrong] = [...violations(objects), ...errors.flatMap((found) => found ?? [])]
    if (wrong !== undefined) throw new Error(`${target}: ${wrong}`)
    table.add(target, `${objects.length} objects`)
  }
}
