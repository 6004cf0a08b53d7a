import {
  at,
  isOurs,
  isWorkload,
  podsIn,
  show,
  type Container,
  type KubernetesObject,
  type PodSpec,
  type Workload,
} from '../objects.ts'
import type { Rule } from '../rules.ts'

/** Of workloads, which serve and are probed. */
const eachServing = (
  objects: readonly KubernetesObject[],
  wrong: (container: Container, workload: Workload) => string | undefined,
): string[] =>
  objects
    .filter(isWorkload)
    .flatMap((workload) => told(workload, workload.spec.template.spec.containers, (found) => wrong(found, workload)))

/** Of everything that makes pods, and of what runs in them before they start. */
const eachContainer = (
  objects: readonly KubernetesObject[],
  wrong: (container: Container, pod: PodSpec) => string | undefined,
): string[] =>
  podsIn(objects).flatMap(({ owner, pod }) =>
    told(owner, [...(pod.initContainers ?? []), ...pod.containers], (container) => wrong(container, pod)),
  )

const told = (
  owner: KubernetesObject,
  containers: readonly Container[],
  wrong: (container: Container) => string | undefined,
): string[] =>
  containers.flatMap((container) => {
    const what = wrong(container)
    return what === undefined ? [] : [`${show(owner)}: ${what}`]
  })

/** What a variable of ours is set to, wherever the pod has it from. */
function setting(workload: Workload, objects: readonly KubernetesObject[], ending: string): string | undefined {
  const sources = workload.spec.template.spec.containers.flatMap(({ envFrom = [] }) => envFrom)
  const names = new Set(sources.map(({ configMapRef }) => configMapRef?.name))
  const entries = objects
    .filter(({ kind, metadata }) => kind === 'ConfigMap' && names.has(metadata.name))
    .flatMap((map) => Object.entries(at(map, 'data') ?? {}))
  const value: unknown = entries.find(([name]) => name.endsWith(ending))?.[1]
  return typeof value === 'string' ? value : undefined
}

const seconds = (text: string | undefined): number => Number(/^(\d+)s$/.exec(text ?? '')?.[1] ?? Number.NaN)

export const pods: readonly Rule[] = [
  {
    name: 'restricted',
    why: 'the namespaces enforce the restricted standard: such a pod is not created',
    check: (objects) =>
      eachContainer(objects, ({ securityContext = {} }, { securityContext: pod = {} }) => {
        if (pod['runAsNonRoot'] !== true || at(pod, 'seccompProfile', 'type') !== 'RuntimeDefault')
          return 'may run as root'
        if (securityContext['allowPrivilegeEscalation'] !== false) return 'may gain privileges'
        return JSON.stringify(at(securityContext, 'capabilities', 'drop')) === '["ALL"]'
          ? undefined
          : 'keeps capabilities'
      }),
  },
  {
    name: 'read-only-root',
    why: 'who gets in can change nothing, and nothing is kept by accident where it is lost',
    check: (objects) =>
      eachContainer(objects, ({ name, securityContext }) =>
        // Cassandra's image writes its configuration where it lies.
        name !== 'cassandra' && securityContext?.['readOnlyRootFilesystem'] !== true
          ? 'its root is writable'
          : undefined,
      ),
  },
  {
    name: 'exact-image',
    why: 'two nodes would run two programs under one name',
    check: (objects) =>
      eachContainer(objects, ({ image }) =>
        /@sha256:[0-9a-f]{64}$|:(?!latest$)[\w.-]+$/.test(image) ? undefined : `${image} has no exact tag`,
      ),
  },
  {
    name: 'no-service-links',
    why: 'a Service called counter would inject COUNTER_PORT=tcp://...',
    check: (objects) =>
      podsIn(objects)
        .filter(({ pod }) => pod.enableServiceLinks !== false)
        .map(({ owner }) => `${show(owner)} takes service links`),
  },
  {
    name: 'three-probes',
    why: 'starting, being able to take requests and being stuck are three things; one probe for two of them restarts what only waits',
    check: (objects) =>
      eachServing(objects, ({ startupProbe, readinessProbe, livenessProbe }, workload) => {
        const paths = [startupProbe, readinessProbe, livenessProbe].map((probe) => probe?.httpGet?.path)
        if (startupProbe === undefined || readinessProbe === undefined || livenessProbe === undefined)
          return 'lacks a probe'
        const known = JSON.stringify(['/startupz', '/readyz', '/livez'])
        return isOurs(workload) && JSON.stringify(paths) !== known ? `probes ${paths.join(', ')}` : undefined
      }),
  },
  {
    name: 'requests-and-limits',
    why: 'without requests the scheduler packs blindly; without a memory limit one pod takes the node',
    check: (objects) =>
      eachContainer(objects, ({ resources }) =>
        resources?.requests?.['cpu'] && resources.requests['memory'] && resources.limits?.['memory']
          ? undefined
          : 'lacks a request or the memory limit',
      ),
  },
  {
    name: 'grace-covers-the-drain',
    why: 'the kubelet kills a pod at the end of its grace period, whatever it was still answering',
    check: (objects) =>
      eachServing(objects, ({ lifecycle }, workload) => {
        if (!isOurs(workload)) return undefined
        const period = workload.spec.template.spec.terminationGracePeriodSeconds ?? 30
        const preStop = lifecycle?.preStop?.sleep?.seconds ?? Number.NaN
        const grace = seconds(setting(workload, objects, '_GRACE_MS'))
        const drain = seconds(setting(workload, objects, '_DRAIN_DELAY_MS'))
        if (!(drain >= 3)) return 'does not wait until proxies have heard that it goes (DRAIN_DELAY_MS)'
        if (!(grace > drain)) return `has ${grace} s to end, of which it only waits ${drain} s`
        return period > preStop + grace
          ? undefined
          : `is killed after ${period} s, and may need ${preStop} s + ${grace} s`
      }),
  },
  {
    name: 'token-only-where-used',
    why: 'a token of the API in a pod that never asks it is a gift to whoever gets in',
    check: (objects) => [
      ...objects
        .filter(({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name !== 'scaler-control-plane')
        .filter((account) => account['automountServiceAccountToken'] !== false)
        .map((account) => `${show(account)} mounts its token`),
      // The account `default`, which every namespace has, mounts its token.
      ...podsIn(objects)
        .filter(({ pod }) => pod.serviceAccountName === undefined && pod.automountServiceAccountToken !== false)
        .map(({ owner }) => `${show(owner)} mounts the token of an account that nobody chose`),
    ],
  },
]
