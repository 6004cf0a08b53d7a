import { parseAllDocuments } from 'yaml'

/** An object of the Kubernetes API as far as the rules look at it; what else it holds is kept. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Labels }
  readonly [field: string]: unknown
}

export type Labels = Readonly<Record<string, string>>

export interface Port {
  readonly name?: string
  readonly port: number
  readonly targetPort?: string | number
}

export interface Probe {
  readonly httpGet?: { readonly path: string; readonly port: string | number }
  readonly tcpSocket?: { readonly port: string | number }
}

export interface Container {
  readonly name: string
  readonly image: string
  readonly args?: readonly string[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: object }[]
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string } }[]
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly resources?: { readonly requests?: Labels; readonly limits?: Labels }
  readonly startupProbe?: Probe
  readonly readinessProbe?: Probe
  readonly livenessProbe?: Probe
  readonly lifecycle?: { readonly preStop?: { readonly sleep?: { readonly seconds: number } } }
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

export interface PodSpec {
  readonly serviceAccountName?: string
  readonly automountServiceAccountToken?: boolean
  readonly enableServiceLinks?: boolean
  readonly terminationGracePeriodSeconds?: number
  readonly securityContext?: Readonly<Record<string, unknown>>
  readonly initContainers?: readonly Container[]
  readonly containers: readonly Container[]
  readonly volumes?: readonly Readonly<{
    name: string
    persistentVolumeClaim?: { readonly claimName: string }
    secret?: { readonly secretName: string; readonly optional?: boolean }
  }>[]
}

export interface Claim {
  readonly accessModes: readonly string[]
}

export interface Workload extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number
    readonly strategy?: { readonly type?: string; readonly rollingUpdate?: Readonly<Record<string, unknown>> }
    readonly selector: { readonly matchLabels: Labels }
    readonly template: { readonly metadata: { readonly labels: Labels }; readonly spec: PodSpec }
    readonly volumeClaimTemplates?: readonly { readonly metadata: { name: string }; readonly spec: Claim }[]
  }
}

export const parseObjects = (text: string): KubernetesObject[] =>
  parseAllDocuments(text, { merge: true })
    .map((document): unknown => document.toJS())
    .filter((value): value is KubernetesObject => typeof value === 'object' && value !== null && 'kind' in value)

export const isWorkload = (object: KubernetesObject): object is Workload =>
  object.kind === 'Deployment' || object.kind === 'StatefulSet'

export interface Running {
  readonly owner: KubernetesObject
  readonly pod: PodSpec
}

const isPodSpec = (value: unknown): value is PodSpec => Array.isArray(at(value, 'containers'))

/** The pods of everything that makes pods, whatever its kind: a workload, a Job, what a later version of the manifests may have. */
export const podsIn = (objects: readonly KubernetesObject[]): Running[] =>
  objects.flatMap((owner) => {
    const templates = [at(owner, 'spec', 'template'), at(owner, 'spec', 'jobTemplate', 'spec', 'template')]
    return templates
      .map((template) => at(template, 'spec'))
      .filter(isPodSpec)
      .map((pod) => ({ owner, pod }))
  })

/** Ours, as opposed to the servers that our components start beside it. */
export const isOurs = ({ metadata }: KubernetesObject): boolean =>
  metadata.labels?.['app.kubernetes.io/part-of'] !== 'servers'

export const matches = (labels: Labels, selector: Labels): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value)

export const show = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.name}`

/** A field somewhere below, by path; undefined where there is none. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (typeof found === 'object' && found !== null ? Reflect.get(found, key) : undefined),
    value,
  )
}
