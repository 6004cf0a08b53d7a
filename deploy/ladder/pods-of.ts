import type { KubernetesObject, Workload } from '../kustomize/objects.ts'

/**
 * The pods that the controllers would make of a workload, as far as their names and their content go: for an API server that
 * runs without controllers, and enforces pod security on pods only.
 */
export function podsOf(workload: Workload): KubernetesObject[] {
  const { metadata, spec, kind } = workload
  return Array.from({ length: spec.replicas ?? 1 }, (_, index) => {
    const name = kind === 'StatefulSet' ? `${metadata.name}-${index}` : `${metadata.name}-5d8f7c9b6-pod0${index}`
    const claims = (spec.volumeClaimTemplates ?? []).map((template) => ({
      name: template.metadata.name,
      persistentVolumeClaim: { claimName: `${template.metadata.name}-${name}` },
    }))
    const volumes = [...(spec.template.spec.volumes ?? []), ...claims]
    return {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...spec.template.metadata, name, ...(metadata.namespace && { namespace: metadata.namespace }) },
      spec: { ...spec.template.spec, volumes },
    }
  })
}
