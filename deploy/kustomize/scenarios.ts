/** Where an app may keep its data, as lists of components; the first word of the scenario's name is the app. */
const storages = {
  counter: {
    ebs: ['storage-ebs/class', 'storage-ebs/counter'],
    efs: ['storage-efs'],
    redis: ['counter-url', 'redis'],
    postgres: ['counter-url', 'postgres'],
    'redis-ha': ['counter-url', 'redis-ha'],
    dynamodb: ['dynamodb'],
  },
  'message-store': {
    ebs: ['storage-ebs/class', 'storage-ebs/message-store'],
    cassandra: ['message-store-url', 'cassandra'],
    s3: ['s3'],
  },
  scaler: { postgres: ['postgres'], 'postgres-ha': ['storage-ebs/class', 'postgres-ha'] },
  'load-tolerant-api': {
    'redis-mongo': ['redis', 'mongo', 'mongo-initiate'],
    'redis-ha-mongo': ['redis-ha', 'mongo', 'mongo-initiate'],
  },
} as const

/** Storages that one pod has for itself: no autoscaler may add a second one. */
const single = new Set(['counter-ebs', 'message-store-ebs'])

const autoscaling: Readonly<Record<string, readonly string[]>> = {
  counter: ['autoscaling-hpa/counter'],
  'message-store': ['autoscaling-hpa/message-store'],
  scaler: ['autoscaling-keda/scaler'],
  'load-tolerant-api': ['autoscaling-hpa/load-tolerant-api', 'autoscaling-keda/load-tolerant-api'],
}

export interface Scenario {
  readonly name: string
  readonly app: string
  readonly components: readonly string[]
}

/**
 * Every legal combination of what excludes something else: app, storage, and whether an autoscaler owns the replicas.
 * What fits everything comes in two sets, so that each is rendered with each storage: an Ingress that ends TLS and nothing else;
 * and a Gateway with TLS up to the app, tokens, policies, spread and monitoring.
 */
export function scenarios(): readonly Scenario[] {
  return Object.entries(storages).flatMap(([app, variants]) =>
    Object.entries(variants).flatMap(([storage, components]) => {
      const name = `${app}-${storage}`
      const extras = ['gateway', 'gateway-tls', 'tls', 'auth-tokens'].map((component) => `${component}/${app}`)
      const scaled = single.has(name) ? [] : (autoscaling[app] ?? [])
      const all = [...components, ...extras, ...scaled, 'network-policies', 'topology-spread', 'monitoring']
      return [
        { name, app, components: [...components, `ingress/${app}`, 'hardened'] },
        { name: `${name}-full`, app, components: [...all, 'hardened'] },
      ]
    }),
  )
}

/** A kustomization of it, `depth` folders below deploy/. */
export function kustomizationOf({ app, components }: Scenario): string {
  return [
    '# Written by `npm run deploy:render` from deploy/kustomize/scenarios.ts.',
    'apiVersion: kustomize.config.k8s.io/v1beta1',
    'kind: Kustomization',
    'namespace: scenario',
    `resources: [../../base/${app}]`,
    'components:',
    ...components.map((component) => `  - ../../components/${component}`),
    `images: [{ name: ballast/${app}, newName: registry.example.com/ballast/${app}, newTag: 0.1.0 }]`,
    ...(components.includes('autoscaling-keda/load-tolerant-api') ? askedInThisNamespace : []),
    '',
  ].join('\n')
}

/** KEDA asks from a namespace of its own, so the host that it asks has ours in its name. */
const askedInThisNamespace = [
  'patches:',
  '  - target: { kind: ScaledObject, name: load-tolerant-api-consumer }',
  '    patch: |',
  '      - op: replace',
  '        path: /spec/triggers/0/metadata/url',
  '        value: http://load-tolerant-api.scenario.svc:9090/metrics',
]
