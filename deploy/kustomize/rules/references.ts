import { at, isWorkload, matches, show, type Container, type KubernetesObject, type Probe } from '../objects.ts'
import type { Rule } from '../rules.ts'

const probesOf = (container: Container): (readonly [string, Probe | undefined])[] => [
  ['startupProbe', container.startupProbe],
  ['readinessProbe', container.readinessProbe],
  ['livenessProbe', container.livenessProbe],
]

const services = (objects: readonly KubernetesObject[]): readonly KubernetesObject[] =>
  objects.filter(({ kind }) => kind === 'Service')

const isRecord = (value: unknown): value is Record<string, string> => typeof value === 'object' && value !== null

const backend = (object: KubernetesObject): unknown =>
  object.kind === 'Ingress'
    ? at(object, 'spec', 'rules', 0, 'http', 'paths', 0, 'backend', 'service', 'name')
    : at(object, 'spec', 'rules', 0, 'backendRefs', 0, 'name')

const targetOf = (policy: KubernetesObject): unknown => at(policy, 'spec', 'targetRefs', 0, 'name')

/** Whether the workload behind a Service has a certificate of its own. */
function endsTls(service: string, objects: readonly KubernetesObject[]): boolean {
  const selector = at(
    services(objects).find(({ metadata }) => metadata.name === service),
    'spec',
    'selector',
  )
  const maps = new Set(
    objects
      .filter(isWorkload)
      .filter(({ spec }) => isRecord(selector) && matches(spec.template.metadata.labels, selector))
      .flatMap(({ spec }) => spec.template.spec.containers)
      .flatMap(({ envFrom = [] }) => envFrom.map(({ configMapRef }) => configMapRef?.name)),
  )
  return objects
    .filter(({ kind, metadata }) => kind === 'ConfigMap' && maps.has(metadata.name))
    .some((map) => Object.keys(at(map, 'data') ?? {}).some((name) => name.endsWith('_TLS_CERT')))
}

export const references: readonly Rule[] = [
  {
    name: 'selector-matches-template',
    why: 'the API server refuses a workload that does not select its own pods',
    check: (objects) =>
      objects
        .filter(isWorkload)
        .filter(({ spec }) => !matches(spec.template.metadata.labels, spec.selector.matchLabels))
        .map((workload) => `${show(workload)} does not select its own pods`),
  },
  {
    name: 'service-selects-one-workload',
    why: 'a Service that selects nothing has no endpoints; one that selects two roles sends requests to the wrong one',
    check: (objects) =>
      services(objects).flatMap((service) => {
        const selector = at(service, 'spec', 'selector')
        const found = objects
          .filter(isWorkload)
          .filter(({ spec }) => isRecord(selector) && matches(spec.template.metadata.labels, selector))
        return found.length === 1 ? [] : [`${show(service)} selects ${found.length} workloads`]
      }),
  },
  {
    name: 'service-port-exists',
    why: 'the API server takes any name; requests then find nobody',
    check: (objects) =>
      services(objects).flatMap((service) => {
        const selector = at(service, 'spec', 'selector')
        const selected = objects
          .filter(isWorkload)
          .filter(({ spec }) => isRecord(selector) && matches(spec.template.metadata.labels, selector))
          .flatMap(({ spec }) => spec.template.spec.containers)
        const names = new Set(selected.flatMap(({ ports = [] }) => ports.map(({ name }) => name)))
        const wanted = at(service, 'spec', 'ports')
        return (Array.isArray(wanted) ? wanted : [])
          .map((port) => at(port, 'targetPort'))
          .filter((target) => typeof target !== 'string' || !names.has(target))
          .map((target) => `${show(service)} points to port ${String(target)}, which no container has`)
      }),
  },
  {
    name: 'probe-port-exists',
    why: 'a probe of a port that is not there fails for ever',
    check: (objects) =>
      objects.filter(isWorkload).flatMap((workload) =>
        workload.spec.template.spec.containers.flatMap((container) =>
          probesOf(container)
            .map(([name, probe]) => ({ name, port: probe?.httpGet?.port ?? probe?.tcpSocket?.port }))
            .filter(({ port }) => !container.ports?.some((known) => known.name === port))
            .map(({ name, port }) => `${show(workload)}: ${name} asks port ${String(port)}, which it has not`),
        ),
      ),
  },
  {
    name: 'config-map-exists',
    why: 'the pod would not start, and the API server does not look',
    check: (objects) => {
      const names = new Set(objects.filter(({ kind }) => kind === 'ConfigMap').map(({ metadata }) => metadata.name))
      return objects.filter(isWorkload).flatMap((workload) =>
        workload.spec.template.spec.containers
          .flatMap(({ envFrom = [] }) => envFrom.map(({ configMapRef }) => configMapRef?.name))
          .filter((name) => name === undefined || !names.has(name))
          .map((name) => `${show(workload)} reads ConfigMap ${name}, which is not there`),
      )
    },
  },
  {
    name: 'service-account-exists',
    why: 'pods of an account that is not there are not created',
    check: (objects) => {
      const names = new Set(
        objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name),
      )
      return objects
        .filter(isWorkload)
        .map((workload) => ({ workload, account: workload.spec.template.spec.serviceAccountName }))
        .filter(({ account }) => account !== undefined && !names.has(account))
        .map(({ workload, account }) => `${show(workload)} runs as ${account}, which is not there`)
    },
  },
  {
    name: 'route-leads-to-a-service',
    why: 'a way in that ends nowhere answers 503',
    check: (objects) => {
      const names = new Set(services(objects).map(({ metadata }) => metadata.name))
      return objects
        .filter(({ kind }) => kind === 'Ingress' || kind === 'HTTPRoute')
        .filter((object) => !names.has(String(backend(object))))
        .map((object) => `${show(object)} leads to ${String(backend(object))}, which is not there`)
    },
  },
  {
    name: 'route-speaks-what-the-app-speaks',
    why: 'an app that ends TLS itself hangs up on plain HTTP, and one that does not hangs up on TLS: every request is a 502',
    check: (objects) =>
      objects
        .filter(({ kind }) => kind === 'Ingress' || kind === 'HTTPRoute')
        .flatMap((route) => {
          const service = String(backend(route))
          // An Ingress has no word for TLS behind it.
          const policies = route.kind === 'HTTPRoute' ? objects.filter(({ kind }) => kind === 'BackendTLSPolicy') : []
          const isEncrypted = policies.some((policy) => targetOf(policy) === service)
          if (endsTls(service, objects) === isEncrypted) return []
          return [`${show(route)} speaks ${isEncrypted ? 'TLS' : 'plain HTTP'} to ${service}, which does not`]
        }),
  },
  {
    name: 'asked-in-this-namespace',
    why: 'KEDA asks from a namespace of its own: a host of another namespace is nobody, or somebody else',
    check: (objects) =>
      objects
        .filter(({ kind }) => kind === 'ScaledObject')
        .flatMap((scaled) =>
          [at(scaled, 'spec', 'triggers')]
            .flat()
            .map((trigger) => at(trigger, 'metadata', 'url'))
            .filter((url) => typeof url === 'string')
            .filter((url) => {
              const [name, namespace] = new URL(url).hostname.split('.')
              const isThere = services(objects).some(({ metadata }) => metadata.name === name)
              return !isThere || namespace !== scaled.metadata.namespace
            })
            .map((url) => `${show(scaled)} asks ${url}, and lives in ${scaled.metadata.namespace}`),
        ),
  },
  {
    name: 'claim-is-used',
    why: 'a volume that nobody mounts is what is left when two storage components meet',
    check: (objects) => {
      const used = new Set(
        objects
          .filter(isWorkload)
          .flatMap(({ spec }) => spec.template.spec.volumes ?? [])
          .map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName),
      )
      const claims = objects.filter(({ kind }) => kind === 'PersistentVolumeClaim')
      return claims
        .filter(({ metadata }) => !used.has(metadata.name))
        .map((claim) => `${show(claim)} is mounted by nobody`)
    },
  },
  {
    name: 'role-names-what-is-there',
    why: 'a right to scale something of another name is no right; the control plane would say that it is not allowed',
    check: (objects) => {
      const names = new Set(objects.filter(isWorkload).map(({ metadata }) => metadata.name))
      return objects
        .filter(({ kind }) => kind === 'Role')
        .flatMap((role) =>
          [at(role, 'rules')]
            .flat()
            .filter((rule) => JSON.stringify(at(rule, 'resources')) === '["statefulsets/scale"]')
            .flatMap((rule): unknown[] => [at(rule, 'resourceNames')].flat())
            .filter((name) => typeof name !== 'string' || !names.has(name))
            .map((name) => `${show(role)} may scale ${String(name)}, which is not there`),
        )
    },
  },
]
