import { autoscalers } from './rules/autoscalers.ts'
import { configuration } from './rules/configuration.ts'
import { monitors } from './rules/monitors.ts'
import { network } from './rules/network.ts'
import { pods } from './rules/pods.ts'
import { references } from './rules/references.ts'
import { servers } from './rules/servers.ts'
import { storage } from './rules/storage.ts'
import type { KubernetesObject } from './objects.ts'

/** What must hold of everything that is deployed together; one sentence per violation. */
export interface Rule {
  readonly name: string
  readonly why: string
  readonly check: (objects: readonly KubernetesObject[]) => readonly string[]
}

export const rules: readonly Rule[] = [
  ...storage,
  ...autoscalers,
  ...references,
  ...pods,
  ...configuration,
  ...network,
  ...servers,
  ...monitors,
]

/** Of all rules, or of those that are named: the rule's name, what is wrong, and the reason. */
export function violations(objects: readonly KubernetesObject[], names?: readonly string[]): string[] {
  return rules
    .filter(({ name }) => names === undefined || names.includes(name))
    .flatMap(({ name, why, check }) => check(objects).map((what) => `${name}: ${what} (${why})`))
}
