import { at, isOurs, isWorkload, type KubernetesObject } from '../../kustomize/objects.ts'
import { nodeLevel } from './images.ts'

export const seedNamespace = 'assessment'
/** A replica set of one has the name of a pod, which nobody knows without DNS; the stand-in is none. */
const documents = 'mongodb://mongo:27017/ballast/writes?directConnection=true'
/** The first of its Services' addresses, in the part of the network that is given to nobody who does not ask. */
const firstHost = 40

/** Of an autoscaler that keeps ten replicas a small node has nothing to prove; the stand-in for MongoDB is no replica set. */
const leftOut = new Set(['HorizontalPodAutoscaler', 'Job', 'Namespace'])

/** The overlay `seed` for a node that has neither DNS nor more than two cores: its objects as they are, but for what that takes. */
export function onThisNode(objects: readonly KubernetesObject[]): {
  readonly objects: readonly KubernetesObject[]
  /** Of each Service, by its name. */
  readonly addresses: ReadonlyMap<string, string>
} {
  const services = objects.filter(({ kind }) => kind === 'Service')
  const addresses = new Map(services.map(({ metadata }, index) => [metadata.name, `10.96.0.${firstHost + index}`]))
  const hosts = [...addresses].map(([name, ip]) => ({ ip, hostnames: [name] }))
  const hostAliases = [...hosts, { ip: '10.96.0.1', hostnames: ['kubernetes.default.svc'] }]
  const changed = objects
    .filter(({ kind }) => !leftOut.has(kind))
    .map((object): KubernetesObject => {
      if (isWorkload(object)) return smaller(object, hostAliases)
      if (object.kind === 'Service')
        return { ...object, spec: { ...Object(object['spec']), clusterIP: addresses.get(object.metadata.name) } }
      if (at(object, 'data', 'documents') === undefined || object.kind !== 'Secret') return object
      return { ...object, data: { ...Object(object['data']), documents: Buffer.from(documents).toString('base64') } }
    })
  return { objects: changed, addresses }
}

function smaller(workload: KubernetesObject & { spec: object }, hostAliases: readonly object[]): KubernetesObject {
  const spec: object = Object(at(workload, 'spec', 'template', 'spec'))
  const containers = [at(spec, 'containers')].flat().map((container) => {
    const { args, image, ...rest }: Record<string, unknown> = Object(container)
    const server = /^(?:docker\.io\/library\/)?(\w+):/.exec(String(image))?.[1]
    const resources = { ...Object(rest['resources']), requests: { cpu: '10m', memory: '64Mi' } }
    // The stand-in for MongoDB knows its arguments.
    const kept = server === 'mongo' || args === undefined ? {} : { args }
    return { ...rest, ...kept, image: isOurs(workload) ? image : nodeLevel(server ?? ''), resources }
  })
  const template = { ...Object(at(workload, 'spec', 'template')), spec: { ...spec, hostAliases, containers } }
  return { ...workload, spec: { ...workload.spec, replicas: 1, template } }
}
