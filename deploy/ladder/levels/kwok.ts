import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { at, isWorkload, parseObjects, type KubernetesObject } from '../../kustomize/objects.ts'
import { deployFolder, render } from '../../kustomize/render.ts'
import { startControlPlane } from '../control-plane.ts'
import { foreignKinds } from '../crds.ts'
import { startDaemon, waitFor } from '../daemon.ts'
import { serveMetrics } from '../kwok/metrics-api.ts'
import type { Level } from '../level.ts'

const namespace = 'ballast'
const nodes = [1, 2, 3].map((number) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: `fake-${number}`,
    labels: {
      'kubernetes.io/hostname': `fake-${number}`,
      'kubernetes.io/os': 'linux',
      'topology.kubernetes.io/zone': `zone-${number}`,
    },
  },
  status: {
    allocatable: { cpu: '8', memory: '32Gi', pods: '110' },
    capacity: { cpu: '8', memory: '32Gi', pods: '110' },
  },
}))

/**
 * The production overlay on three nodes that only pretend to run pods: the real controllers roll it out, keep its disruption
 * budgets, and drain a node. Probes, images and the apps themselves are not exercised.
 */
export const kwok: Level = async ({ folder, binaries, kustomize, table, resources }) => {
  const started = performance.now()
  const plane = await resources.use(await startControlPlane({ folder, binaries }))
  const { kubectl } = plane
  const config = [`--config=${join(binaries, 'kwok-stages.yaml')}`, `--kubeconfig=${plane.kubeconfig('admin')}`]
  // Without leases of its own a node is not ready after 40 s, and no disruption is allowed any more.
  const rest = ['--manage-all-nodes=true', '--node-lease-duration-seconds=40', '--node-ip=127.0.0.1']
  const place = ['--cidr=10.99.0.0/16', '--server-address=127.0.0.1:22247']
  const command = [join(binaries, 'bin/kwok'), ...config, ...rest, ...place]
  const daemon = await resources.use(startDaemon('kwok', command, join(folder, 'log/kwok.log')))
  const daemons = [...plane.daemons, daemon]
  await kubectl.apply(foreignKinds)
  await kubectl.apply(nodes)
  await waitFor('the other kinds', daemons, () => kubectl.run(['get', 'clusters.postgresql.cnpg.io']))
  const objects = parseObjects(await render(kustomize, join(deployFolder, 'overlays/prod')))
  const workloads = objects.filter(isWorkload)
  await kubectl.apply(objects.map(hurried))
  const rolledOut = async (): Promise<void> => {
    for (const { kind, metadata } of workloads) {
      await kubectl.run(['rollout', 'status', `${kind}/${metadata.name}`, `--namespace=${namespace}`, '--timeout=120s'])
    }
  }
  await rolledOut()
  table.add('from nothing to production rolled out on three nodes', seconds(started))

  const replicas = await kubectl.run([
    'get',
    'deployment/load-tolerant-api',
    '-n',
    namespace,
    '-o',
    'jsonpath={.spec.replicas}',
  ])
  await waitFor('ten replicas of the load-tolerant API', daemons, async () => {
    const now = await kubectl.run([
      'get',
      'deployment/load-tolerant-api',
      '-n',
      namespace,
      '-o',
      'jsonpath={.status.readyReplicas}',
    ])
    return Number(now) >= 10 || undefined
  })
  table.add(
    'replicas of the load-tolerant API: applied without a number, then by its autoscaler',
    `${replicas || 1}, 10`,
  )

  const pods = [
    'get',
    'pods',
    '-n',
    namespace,
    '-l',
    'app.kubernetes.io/name=load-tolerant-api,app.kubernetes.io/component=api',
  ]
  const places = await kubectl.run([...pods, '-o', 'jsonpath={.items[*].spec.nodeName}'])
  const counts = nodes.map(({ metadata }) => places.split(' ').filter((place) => place === metadata.name).length)
  table.add('its pods on the three nodes, which are zones', counts.join(', '))
  if (Math.max(...counts) - Math.min(...counts) > 1) throw new Error(`pods are spread ${counts.join(', ')}`)

  const scaled = async (wanted: number): Promise<string> => {
    const begun = performance.now()
    const args = ['get', 'deployment/load-tolerant-api', '-n', namespace, '-o', 'jsonpath={.status.readyReplicas}']
    await waitFor(`${wanted} replicas`, daemons, async () => Number(await kubectl.run(args)) === wanted || undefined)
    return seconds(begun)
  }
  const metrics = await resources.use(await serveMetrics(join(folder, 'metrics'), kubectl))
  // Of 250, of which the autoscaler wants 60 per cent.
  metrics.usage = { 'name=load-tolerant-api': 240 }
  table.add(
    'busy pods (a stand-in says how busy): its autoscaler goes from 10 to 30 replicas, and no further',
    await scaled(30),
  )
  await delay(5_000)
  const most = await kubectl.run([
    'get',
    'deployment/load-tolerant-api',
    '-n',
    namespace,
    '-o',
    'jsonpath={.spec.replicas}',
  ])
  if (most !== '30') throw new Error(`its autoscaler wants ${most} replicas, beyond its maximum`)
  metrics.usage = { 'name=load-tolerant-api': 10 }
  table.add('idle pods: back to 10, with the way down hurried', await scaled(10))

  const rolling = performance.now()
  for (const { kind, metadata } of workloads) {
    await kubectl.run(['rollout', 'restart', `${kind}/${metadata.name}`, '-n', namespace])
  }
  await rolledOut()
  table.add('a roll-out of everything', seconds(rolling))

  const evict = async (name: string): Promise<string> =>
    kubectl
      .run(
        ['create', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}/eviction`, '--filename=-'],
        JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } }),
      )
      .then(
        () => 'evicted',
        (error: unknown) =>
          /disruption budget/.test(String(error)) ? 'refused by the budget' : `failed: ${String(error)}`,
      )
  const names = await kubectl.run([
    'get',
    'pods',
    '-n',
    namespace,
    '-l',
    'app.kubernetes.io/name=counter',
    '-o',
    'jsonpath={.items[*].metadata.name}',
  ])
  // At the same moment: the budget lets one of them go.
  const verdicts = await Promise.all(
    names
      .trim()
      .split(' ')
      .map((name) => evict(name)),
  )
  table.add('both pods of the counter evicted at once', verdicts.toSorted().join(', '))
  if (!verdicts.includes('refused by the budget')) throw new Error('the budget let both pods of the counter go')

  const draining = performance.now()
  await kubectl.run(['drain', 'fake-1', '--ignore-daemonsets', '--delete-emptydir-data', '--timeout=120s'])
  await rolledOut()
  table.add('a node is drained, and everything is available on the other two', seconds(draining))
}

/** With minutes on the way down nothing more would be seen of an autoscaler. */
function hurried(object: KubernetesObject): object {
  if (object.kind !== 'HorizontalPodAutoscaler') return object
  const spec: object = Object(object['spec'])
  const scaleDown = { stabilizationWindowSeconds: 5, policies: [{ type: 'Pods', value: 10, periodSeconds: 5 }] }
  return { ...object, spec: { ...spec, behavior: { ...Object(at(spec, 'behavior')), scaleDown } } }
}

const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`
