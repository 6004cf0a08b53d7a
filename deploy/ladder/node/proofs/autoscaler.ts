import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { at, parseObjects } from '../../../kustomize/objects.ts'
import { deployFolder } from '../../../kustomize/render.ts'
import { waitFor } from '../../daemon.ts'
import { startMetricsServer } from '../metrics-server.ts'
import { addresses, failures, load, namespace, rolledOut, seconds, show, type Proof } from '../proof.ts'

const deployment = 'deployment/counter'
const post = { url: `${addresses.counter}/`, method: 'POST' }

/** The counter's own autoscaler, with figures of the real metrics-server: up under load, down under little, and no answer lost. */
export const autoscaler: Proof = {
  name: 'autoscaler',
  async run(context) {
    const { kubectl, table } = context
    await using metricsServer = await startMetricsServer(context)
    const daemons = [...context.daemons, metricsServer.daemon]
    const text = await readFile(join(deployFolder, 'components/autoscaling-hpa/counter/hpa.yaml'), 'utf8')
    const [hpa] = parseObjects(text)
    const spec: object = Object(hpa?.['spec'])
    // The way down is hurried, five minutes of little load would prove nothing more; and half of the threshold is enough, because on few
    // cores, which the clients need as well, two pods are hardly ever busier.
    const scaleDown = { stabilizationWindowSeconds: 10, policies: [{ type: 'Pods', value: 1, periodSeconds: 5 }] }
    const behavior = { ...Object(at(spec, 'behavior')), scaleDown }
    const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: 30 } }
    const metrics = [{ type: 'Resource', resource: cpu }]
    const hurried = { ...hpa, metadata: { ...hpa?.metadata, namespace }, spec: { ...spec, behavior, metrics } }
    const replicas = async (): Promise<number> =>
      Number(
        await kubectl.run(['get', deployment, `--namespace=${namespace}`, '-o', 'jsonpath={.status.readyReplicas}']),
      )
    await kubectl.apply([hurried])
    try {
      const least = await replicas()
      const begun = performance.now()
      let most = least
      const rise = waitFor('more replicas', daemons, async () => {
        most = Math.max(most, await replicas())
        return most > least ? seconds(begun) : undefined
      })
      const [heavy, took] = await Promise.all([load(context, { ...post, seconds: 60, clients: 8, pauseMs: 0 }), rise])
      most = Math.max(most, await replicas())
      table.add('replicas of the counter before and under load, by its autoscaler', `${least}, ${most}`)
      table.add('until the first more was ready', took)
      table.add('meanwhile: answered, failed', show(heavy))
      // Two requests a second for as long as it may take, so that none is lost on the way down either.
      const light = load(context, { ...post, seconds: 90, clients: 1, pauseMs: 500 })
      const falling = performance.now()
      const fallen = waitFor(
        'as few replicas as before',
        daemons,
        async () => ((await replicas()) <= least ? true : undefined),
        300_000,
      )
      await fallen.catch(async (error: unknown) => {
        const seen = await kubectl.run(['get', 'horizontalpodautoscaler', 'counter', `--namespace=${namespace}`])
        throw new Error(`${String(error)}; ${seen.trim().replaceAll(/\s+/g, ' ')}`, { cause: error })
      })
      table.add(`back to ${least} after the load had gone`, seconds(falling))
      const quiet = await light
      table.add('meanwhile: answered, failed', show(quiet))
      if (failures(heavy) + failures(quiet) > 0) throw new Error('scaling lost requests')
    } finally {
      await kubectl.run(['delete', 'horizontalpodautoscaler', 'counter', `--namespace=${namespace}`])
      await kubectl.run(['scale', deployment, '--replicas=2', `--namespace=${namespace}`])
      await rolledOut(context, deployment)
    }
  },
}
