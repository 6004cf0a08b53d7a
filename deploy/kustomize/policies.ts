/** What is promised of everything that can be deployed, in a sentence each, and the rules that hold it to that. */
export const policies: Readonly<Record<string, readonly string[]>> = {
  'a volume for one pod has one replica, no autoscaler and no surge': [
    'single-writer-volume',
    'single-writer-no-surge',
    'claim-is-used',
  ],
  'a volume for many pods is used in shared mode': ['shared-file-needs-shared-mode'],
  'each app has one store, on something that outlives its pods': [
    'one-storage',
    'some-storage',
    'embedded-store-needs-a-volume',
  ],
  'an autoscaler owns the replicas, and nothing else does': [
    'autoscaler-owns-replicas',
    'replicas-are-stated',
    'one-autoscaler',
  ],
  'what an autoscaler scales and asks exists': ['autoscaler-target-exists', 'asked-in-this-namespace'],
  'selectors match': ['selector-matches-template', 'service-selects-one-workload'],
  'every target port of a Service exists': ['service-port-exists'],
  'every port of a probe exists': ['probe-port-exists'],
  'startup, readiness and liveness are asked apart': ['three-probes'],
  'every ConfigMap, account and role that is named exists': [
    'config-map-exists',
    'service-account-exists',
    'role-names-what-is-there',
  ],
  'every way in leads to a Service, in the words that it speaks': [
    'route-leads-to-a-service',
    'route-speaks-what-the-app-speaks',
  ],
  'no image is `latest`': ['exact-image'],
  'a pod may take longer to end than it waits and drains': ['grace-covers-the-drain'],
  'no Service injects variables': ['no-service-links'],
  'pods are restricted, on a read-only root, with a token only where it is used': [
    'restricted',
    'read-only-root',
    'token-only-where-used',
  ],
  'pods say what they need and where they end': ['requests-and-limits'],
  'a disruption budget lets one pod go': ['disruption-budget'],
  'secrets are references, to files that are mounted': ['secrets-by-reference', 'secret-files-are-mounted'],
  'servers sync what they answer, on a class of disks that exists': [
    'servers-keep-what-they-answer',
    'storage-class-exists',
  ],
  'every process of ours is scraped': ['scraped-where-metrics-are'],
  'policies deny by default and let through what talks': [
    'network-policies-cover-everything',
    'network-policies-let-through',
  ],
}
