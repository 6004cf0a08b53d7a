import { at, isWorkload, show } from '../objects.ts'
import type { Rule } from '../rules.ts'

const secretName = /PASSWORD|TOKEN$|SECRET|CREDENTIAL/i
const urlWithPassword = /:\/\/[^/@\s]*:[^/@\s]+@/

export const configuration: readonly Rule[] = [
  {
    name: 'secrets-by-reference',
    why: 'a ConfigMap is read by everybody, and a manifest is in version control',
    check: (objects) => [
      ...objects
        .filter(({ kind }) => kind === 'ConfigMap')
        .flatMap((map) =>
          Object.entries(at(map, 'data') ?? {})
            .filter(([name, value]) => secretName.test(name) || urlWithPassword.test(String(value)))
            .map(([name]) => `${show(map)} holds ${name}`),
        ),
      ...objects.filter(isWorkload).flatMap((workload) =>
        workload.spec.template.spec.containers
          .flatMap(({ env = [] }) => env)
          .filter(({ name, value }) => value !== undefined && (secretName.test(name) || urlWithPassword.test(value)))
          .map(({ name }) => `${show(workload)} holds ${name}`),
      ),
    ],
  },
  {
    name: 'secret-files-are-mounted',
    why: 'a variable ..._FILE names a file: it must be below a folder that the pod mounts',
    check: (objects) =>
      objects.filter(isWorkload).flatMap((workload) => {
        const { containers } = workload.spec.template.spec
        const maps = new Set(
          containers.flatMap(({ envFrom = [] }) => envFrom.map(({ configMapRef }) => configMapRef?.name)),
        )
        const mounts = containers.flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ mountPath }) => mountPath))
        return objects
          .filter(({ kind, metadata }) => kind === 'ConfigMap' && maps.has(metadata.name))
          .flatMap((map) => Object.entries(at(map, 'data') ?? {}))
          .filter(([name]) => /_FILE$|_TLS_CERT$|_TLS_KEY$|_AUTH_TOKENS$/.test(name))
          .filter(([, path]) => !mounts.some((mount) => String(path).startsWith(`${mount}/`)))
          .map(([name, path]) => `${show(workload)}: ${name} is ${String(path)}, which is not mounted`)
      }),
  },
]
