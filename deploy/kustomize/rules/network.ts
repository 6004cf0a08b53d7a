import { at, isWorkload, matches, type KubernetesObject, type Labels } from '../objects.ts'
import type { Rule } from '../rules.ts'

/** Pods of one kind: of a workload, or of a cluster that CloudNativePG keeps. */
interface Group {
  readonly name: string
  readonly labels: Labels
}

/** Who opens connections to whom, by the first label of the name; a pair of which one is not deployed is nobody's. */
const talks: readonly (readonly [from: string, to: string, ...ports: number[]])[] = [
  ['counter', 'redis', 6379],
  ['counter', 'redis-ha', 6379, 26379],
  ['counter', 'postgres', 5432],
  ['message-store', 'cassandra', 9042],
  ['scaler-control-plane', 'postgres', 5432],
  ['scaler-worker', 'postgres', 5432],
  ['scaler-control-plane', 'scaler (database)', 5432],
  ['scaler-worker', 'scaler (database)', 5432],
  ['scaler (database)', 'scaler (database)', 5432, 8000],
  ['load-tolerant-api', 'redis', 6379],
  ['load-tolerant-api', 'redis-ha', 6379, 26379],
  ['load-tolerant-api', 'mongo', 27017],
  ['mongo-initiate', 'mongo', 27017],
  ['load-tolerant-api-consumer', 'redis', 6379],
  ['load-tolerant-api-consumer', 'redis-ha', 6379, 26379],
  ['load-tolerant-api-consumer', 'mongo', 27017],
  ['redis-ha', 'redis-ha', 6379, 26379],
]

const isLabels = (value: unknown): value is Labels => typeof value === 'object' && value !== null

const groups = (objects: readonly KubernetesObject[]): Group[] => [
  ...objects
    .filter((object) => isWorkload(object) || object.kind === 'Job')
    .map((object) => {
      const labels = at(object, 'spec', 'template', 'metadata', 'labels')
      return { name: object.metadata.name, labels: isLabels(labels) ? labels : {} }
    }),
  ...objects
    .filter(({ kind, apiVersion }) => kind === 'Cluster' && apiVersion.startsWith('postgresql.cnpg.io/'))
    .map(({ metadata }) => ({ name: `${metadata.name} (database)`, labels: { 'cnpg.io/cluster': metadata.name } })),
]

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** An empty selector selects everything in the namespace; without one, as with a namespaceSelector, nothing here. */
function selects(selector: unknown, { labels }: Group): boolean {
  if (!isLabels(selector)) return false
  const wanted = at(selector, 'matchLabels')
  return isLabels(wanted) ? matches(labels, wanted) : Object.keys(selector).length === 0
}

/** What the NetworkPolicies that select `own` say of TCP to `port`, with the other end being `other`. */
function allows(
  policies: readonly KubernetesObject[],
  direction: 'ingress' | 'egress',
  own: Group,
  other: Group,
  port: number,
): boolean {
  const peers = direction === 'ingress' ? 'from' : 'to'
  return policies
    .filter((policy) => selects(at(policy, 'spec', 'podSelector'), own))
    .flatMap((policy) => list(at(policy, 'spec', direction)))
    .some((rule) => {
      const ports = at(rule, 'ports')
      const isPort = ports === undefined || list(ports).some((allowed) => at(allowed, 'port') === port)
      const ends = at(rule, peers)
      return isPort && (ends === undefined || list(ends).some((peer) => selects(at(peer, 'podSelector'), other)))
    })
}

export const network: readonly Rule[] = [
  {
    name: 'network-policies-cover-everything',
    why: 'where traffic is denied by default, a workload without a policy of its own is alone in the world',
    check: (objects) => {
      const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy')
      if (policies.length === 0) return []
      const named = policies.filter((policy) => at(policy, 'spec', 'podSelector', 'matchLabels') !== undefined)
      return groups(objects)
        .filter((group) => !named.some((policy) => selects(at(policy, 'spec', 'podSelector'), group)))
        .map(({ name }) => `${name} has no NetworkPolicy`)
    },
  },
  {
    name: 'network-policies-let-through',
    why: 'a connection needs the leave of both ends: with that of one it times out, and the app is never ready',
    check: (objects) => {
      const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy')
      if (policies.length === 0) return []
      const found = groups(objects)
      return talks.flatMap(([fromName, toName, ...ports]) => {
        const from = found.find(({ name }) => name === fromName)
        const to = found.find(({ name }) => name === toName)
        if (from === undefined || to === undefined) return []
        return ports.flatMap((port) => [
          ...(allows(policies, 'egress', from, to, port) ? [] : [`${fromName} may not send to ${toName}:${port}`]),
          ...(allows(policies, 'ingress', to, from, port) ? [] : [`${toName}:${port} may not hear ${fromName}`]),
        ])
      })
    },
  },
]
