import { at, isOurs, isWorkload, show, type Claim, type KubernetesObject, type Workload } from '../objects.ts'
import type { Rule } from '../rules.ts'

/**
 * Access modes of every volume that a workload's pods hold. Servers that copy to one another have a volume each, by a template;
 * two pods of ours with a volume each would be two stores.
 */
function modesOf(workload: Workload, objects: readonly KubernetesObject[]): string[] {
  const templates = isOurs(workload) ? (workload.spec.volumeClaimTemplates ?? []) : []
  const claims = (workload.spec.template.spec.volumes ?? []).flatMap(({ persistentVolumeClaim: wanted }) =>
    objects.filter(({ kind, metadata }) => kind === 'PersistentVolumeClaim' && metadata.name === wanted?.claimName),
  )
  return [...templates.map(({ spec }) => spec), ...claims.map((claim) => claim['spec'])].flatMap(modes)
}

const modes = (spec: unknown): readonly string[] => (isClaim(spec) ? spec.accessModes : [])
const isClaim = (spec: unknown): spec is Claim => Array.isArray(at(spec, 'accessModes'))

export const targetsOfAutoscalers = (objects: readonly KubernetesObject[]): unknown[] =>
  objects
    .filter(({ kind }) => kind === 'HorizontalPodAutoscaler' || kind === 'ScaledObject')
    .map((object) => at(object, 'spec', 'scaleTargetRef', 'name'))

export const storage: readonly Rule[] = [
  {
    name: 'single-writer-volume',
    why: 'a volume for one pod serves one pod: two replicas, or an autoscaler that may want two, would wait for ever or share a disk',
    check: (objects) =>
      objects.filter(isWorkload).flatMap((workload) => {
        const isSingle = modesOf(workload, objects).some((mode) => mode.startsWith('ReadWriteOnce'))
        if (!isSingle) return []
        const { replicas } = workload.spec
        const isScaled = targetsOfAutoscalers(objects).includes(workload.metadata.name)
        if (isScaled) return [`${show(workload)} has a ReadWriteOnce volume and an autoscaler`]
        return replicas === 1 ? [] : [`${show(workload)} has a ReadWriteOnce volume and ${replicas} replicas`]
      }),
  },
  {
    name: 'single-writer-no-surge',
    why: 'during a roll-out a surge would start the second pod while the first one has the volume',
    check: (objects) =>
      objects
        .filter(isWorkload)
        .filter((workload) => modesOf(workload, objects).some((mode) => mode.startsWith('ReadWriteOnce')))
        .filter(({ kind, spec }) => kind === 'Deployment' && spec.strategy?.type !== 'Recreate')
        .map((workload) => `${show(workload)} has a ReadWriteOnce volume and would be rolled with a surge`),
  },
  {
    name: 'one-storage',
    why: 'two storage components in one overlay: the later one would win silently',
    check: (objects) =>
      ['counter', 'message-store'].flatMap((app) => {
        const stores = storesOf(app, objects)
        return stores.length > 1 ? [`${app} is told of ${stores.join(' and of ')}`] : []
      }),
  },
  {
    name: 'some-storage',
    why: 'without a storage component the data would be in the pod, and gone with it',
    check: (objects) =>
      objects
        .filter(isWorkload)
        .map(({ metadata }) => metadata.name)
        .filter((app) => ['counter', 'message-store'].includes(app) && storesOf(app, objects).length === 0)
        .map((app) => `${app} has no store`),
  },
  {
    name: 'embedded-store-needs-a-volume',
    why: 'a file on the read-only root, or in memory, does not outlive the pod',
    check: (objects) =>
      objects.filter(isWorkload).flatMap((workload) => {
        const app = workload.metadata.name
        const embedded = storesOf(app, objects).filter((store) => /=(file|lmdb|memory):/.test(store))
        const mounted = workload.spec.template.spec.containers.some(({ volumeMounts = [] }) =>
          volumeMounts.some(({ mountPath }) => mountPath === '/data'),
        )
        return embedded.length > 0 && !mounted ? [`${show(workload)} has ${embedded.join(', ')} and no volume`] : []
      }),
  },
  {
    name: 'shared-file-needs-shared-mode',
    why: 'without mode=shared the first pod keeps the lock for its life, and the others never become ready',
    check: (objects) =>
      objects
        .filter(isWorkload)
        .filter((workload) => modesOf(workload, objects).includes('ReadWriteMany'))
        .flatMap((workload) => storesOf(workload.metadata.name, objects))
        .filter((store) => store.includes('=file:') && !store.includes('mode=shared'))
        .map((store) => `${store} is on a volume that many pods mount`),
  },
]

/** `COUNTER_STORE=...` and `COUNTER_STORE_FILE=...` of an app's ConfigMap. */
function storesOf(app: string, objects: readonly KubernetesObject[]): string[] {
  const map = objects.find(
    ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.replace(/-\w{10}$/, '') === app,
  )
  return Object.entries(at(map, 'data') ?? {})
    .filter(([name]) => /^(COUNTER|MESSAGE_STORE)_STORE(_FILE)?$/.test(name))
    .map(([name, value]) => `${name}=${String(value)}`)
}
