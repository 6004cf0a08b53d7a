import { at, isWorkload, show } from '../objects.ts'
import type { Rule } from '../rules.ts'
import { targetsOfAutoscalers } from './storage.ts'

export const autoscalers: readonly Rule[] = [
  {
    name: 'autoscaler-owns-replicas',
    why: 'each apply would otherwise set the number back, and drop the pods that the load needs',
    check: (objects) =>
      objects
        .filter(isWorkload)
        .filter(({ metadata }) => targetsOfAutoscalers(objects).includes(metadata.name))
        .filter(({ spec }) => spec.replicas !== undefined)
        .map((workload) => `${show(workload)} has replicas and an autoscaler`),
  },
  {
    name: 'replicas-are-stated',
    why: 'without an autoscaler a missing number means one',
    check: (objects) =>
      objects
        .filter(isWorkload)
        .filter(({ metadata }) => !targetsOfAutoscalers(objects).includes(metadata.name))
        .filter(({ spec }) => spec.replicas === undefined)
        .map((workload) => `${show(workload)} has neither replicas nor an autoscaler`),
  },
  {
    name: 'autoscaler-target-exists',
    why: 'an autoscaler of nothing is silent, and nothing scales',
    check: (objects) => {
      const names = new Set(objects.filter(isWorkload).map(({ metadata }) => metadata.name))
      return targetsOfAutoscalers(objects)
        .filter((name) => typeof name !== 'string' || !names.has(name))
        .map((name) => `an autoscaler wants ${String(name)}, which is not there`)
    },
  },
  {
    name: 'one-autoscaler',
    why: 'two that own the same replicas fight; the control plane is one as well',
    check: (objects) => {
      const targets = targetsOfAutoscalers(objects)
      const own = objects
        .filter(({ kind }) => kind === 'ConfigMap')
        .map((map) => at(map, 'data', 'SCALER_AUTOSCALE_TARGET'))
        .flatMap((target) => (typeof target === 'string' ? [target.replace(/^kubernetes:/, '')] : []))
      const all = [...targets, ...own.filter((target) => target !== 'none')]
      return [...new Set(all)]
        .filter((target) => all.filter((other) => other === target).length > 1)
        .map((target) => `${String(target)} is scaled by more than one`)
    },
  },
  {
    name: 'disruption-budget',
    why: 'without one, draining two nodes may take all replicas; with one that allows nothing, no node can be drained',
    check: (objects) =>
      objects
        .filter(isWorkload)
        .filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/part-of'] !== 'servers')
        .filter(({ spec }) => {
          const budgets = objects.filter(
            (object) =>
              object.kind === 'PodDisruptionBudget' &&
              JSON.stringify(at(object, 'spec', 'selector', 'matchLabels')) ===
                JSON.stringify(spec.selector.matchLabels) &&
              at(object, 'spec', 'maxUnavailable') === 1,
          )
          return budgets.length !== 1
        })
        .map((workload) => `${show(workload)} has not exactly one PodDisruptionBudget that lets one pod go`),
  },
]
