import { at, isOurs, isWorkload, show, type KubernetesObject, type Workload } from '../objects.ts'
import type { Rule } from '../rules.ts'

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** By an expression `In`, which is the only one in use. */
const selects = (monitor: KubernetesObject, { spec }: Workload): boolean =>
  list(at(monitor, 'spec', 'selector', 'matchExpressions')).every((expression) => {
    const label = spec.template.metadata.labels[String(at(expression, 'key'))]
    return list(at(expression, 'values')).includes(label)
  })

export const monitors: readonly Rule[] = [
  {
    name: 'scraped-where-metrics-are',
    why: 'a PodMonitor that misses a pod, or its port, scrapes nothing, and no alert ever fires',
    check: (objects) =>
      objects
        .filter(({ kind }) => kind === 'PodMonitor')
        .flatMap((monitor) => {
          const ports = list(at(monitor, 'spec', 'podMetricsEndpoints')).map((endpoint) => at(endpoint, 'port'))
          return objects
            .filter(isWorkload)
            .filter(isOurs)
            .filter((workload) => {
              const { containers } = workload.spec.template.spec
              const known = containers.flatMap((container) => (container.ports ?? []).map(({ name }) => name))
              return !selects(monitor, workload) || !ports.every((port) => known.some((name) => name === port))
            })
            .map((workload) => `${show(monitor)} does not scrape ${show(workload)}`)
        }),
  },
]
