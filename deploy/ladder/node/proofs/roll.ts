import { setTimeout as delay } from 'node:timers/promises'
import { earlierRegistry } from '../our-images.ts'
import {
  failures,
  load,
  namespace,
  rolledOut,
  show,
  type Loaded,
  type LoadRequest,
  type ProofContext,
} from '../proof.ts'

const current = 'localhost/ballast'

/** How the images of an app are called on the node: those of the earlier revision, and those of this one. */
export const imagesOf = (app: string, version: string): { readonly earlier: string; readonly current: string } => ({
  earlier: `${earlierRegistry}/${app}:${version}`,
  current: `${current}/${app}:${version}`,
})

/** Brings workloads of an app from the earlier images to the current ones, or restarts them where there are no earlier ones. */
export async function roll(context: ProofContext, app: string, workloads: readonly string[]): Promise<void> {
  for (const workload of workloads) {
    const where = [workload, `--namespace=${namespace}`]
    const image = await context.kubectl.run([
      'get',
      ...where,
      '-o',
      'jsonpath={.spec.template.spec.containers[0].image}',
    ])
    const version = image.split(':').at(-1) ?? ''
    const target = imagesOf(app, version).current
    if (image === target) await context.kubectl.run(['rollout', 'restart', ...where])
    else await context.kubectl.run(['set', 'image', ...where, `app=${target}`])
    await rolledOut(context, workload)
  }
}

/** The same while the app is asked, with what came of it as a row; not one request may fail. */
export async function rollUnderLoad(
  context: ProofContext,
  app: string,
  workloads: readonly string[],
  request: LoadRequest,
): Promise<Loaded> {
  const rolling = async (): Promise<void> => {
    await delay(2_000)
    await roll(context, app, workloads)
  }
  const [loaded] = await Promise.all([load(context, { seconds: 25, ...request }), rolling()])
  const from = context.earlier === undefined ? 'restarted' : 'from the earlier images to the current ones'
  context.table.add(`${app} rolled out under load, ${from}: answered, failed`, show(loaded))
  if (failures(loaded) > 0) throw new Error(`a roll-out of ${app} lost requests: ${show(loaded)}`)
  return loaded
}
