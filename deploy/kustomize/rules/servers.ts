import { at, isWorkload, show, type KubernetesObject } from '../objects.ts'
import type { Rule } from '../rules.ts'

/** What a server must be told so that an answer of it is on its disk; elsewhere it is by default. */
const settings: Readonly<Record<string, readonly RegExp[]>> = {
  redis: [/appendonly yes/, /appendfsync always/, /maxmemory-policy noeviction/],
  cassandra: [/commitlog_sync: batch/],
  mongo: [/--replSet/],
}
/** Their own image; who puts another one in its place answers for it. redis-ha names a script, which has a test of its own. */
const image = /^(?:docker\.io\/library\/)?(redis|cassandra|mongo):/

const classOf = (object: KubernetesObject): unknown[] => {
  const templates = [at(object, 'spec', 'volumeClaimTemplates')].flat()
  return [
    at(object, 'spec', 'storageClassName'),
    at(object, 'spec', 'storage', 'storageClass'),
    ...templates.map((template) => at(template, 'spec', 'storageClassName')),
  ]
}

export const servers: readonly Rule[] = [
  {
    name: 'servers-keep-what-they-answer',
    why: 'what a service of ours answers as done is in the server by then, and must outlive its kill',
    check: (objects) =>
      objects
        .filter(isWorkload)
        .filter(({ metadata }) => metadata.name !== 'redis-ha')
        .flatMap((workload) =>
          workload.spec.template.spec.containers.flatMap(({ image: name, args = [] }) => {
            const wanted = settings[image.exec(name)?.[1] ?? ''] ?? []
            const lacks = wanted.filter((setting) => !setting.test(args.join(' ')))
            return lacks.map((setting) => `${show(workload)} is not told ${setting.source}`)
          }),
        ),
  },
  {
    name: 'storage-class-exists',
    why: 'a claim of a class that nobody makes is pending for ever, and its pod with it',
    check: (objects) => {
      const made = new Set(objects.filter(({ kind }) => kind === 'StorageClass').map(({ metadata }) => metadata.name))
      return objects.flatMap((object) =>
        classOf(object)
          .filter((name) => typeof name === 'string' && name.startsWith('ballast-') && !made.has(name))
          .map((name) => `${show(object)} wants the class ${String(name)}, which is not there`),
      )
    },
  },
]
