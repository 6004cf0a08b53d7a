import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parseObjects, type KubernetesObject } from './objects.ts'
import { committed, kustomize } from './rendered.ts'
import { deployFolder, render } from './render.ts'
import { rules, violations } from './rules.ts'
import { kustomizationOf } from './scenarios.ts'

const title = kustomize === undefined ? ' (skipped: neither kustomize 5 nor a kubectl that has it)' : ''

/** Combinations of components that are wrong together, with the rule that says so. */
const illegal: readonly (readonly [rule: string, app: string, ...components: string[]])[] = [
  ['single-writer-volume', 'counter', 'storage-ebs/counter', 'autoscaling-hpa/counter'],
  ['single-writer-volume', 'message-store', 'storage-ebs/message-store', 'autoscaling-hpa/message-store'],
  ['claim-is-used', 'counter', 'storage-ebs/counter', 'storage-efs'],
  ['one-storage', 'counter', 'storage-ebs/counter', 'counter-url'],
  ['one-storage', 'counter', 'counter-url', 'dynamodb'],
  ['one-storage', 'message-store', 's3', 'message-store-url'],
  ['some-storage', 'counter'],
  ['some-storage', 'message-store', 'autoscaling-hpa/message-store'],
  ['route-speaks-what-the-app-speaks', 'counter', 'counter-url', 'tls/counter', 'ingress/counter'],
  ['route-speaks-what-the-app-speaks', 'counter', 'counter-url', 'tls/counter', 'gateway/counter'],
  ['route-speaks-what-the-app-speaks', 'counter', 'counter-url', 'gateway/counter', 'gateway-tls/counter'],
  ['asked-in-this-namespace', 'load-tolerant-api', 'redis', 'mongo', 'autoscaling-keda/load-tolerant-api'],
]

describe.skipIf(kustomize === undefined)(`illegal combinations${title}`, () => {
  test.each(illegal)('%s refuses %s with %s %s', async (rule, app, ...components) => {
    if (kustomize === undefined) throw new Error('skipped')
    await mkdir(join(deployFolder, 'dist'), { recursive: true })
    const folder = await mkdtemp(join(deployFolder, 'dist/illegal-'))
    try {
      const text = kustomizationOf({ name: rule, app, components: [...components.filter(Boolean), 'hardened'] })
      await writeFile(join(folder, 'kustomization.yaml'), text.replace(/^patches:[^]*/m, ''))
      const found = violations(parseObjects(await render(kustomize, folder)))
      // The rule's name, what is wrong with what, and the reason.
      const reason = rules.find(({ name }) => name === rule)?.why
      expect(found.filter((what) => what.startsWith(`${rule}: `) && what.endsWith(` (${reason})`))).not.toEqual([])
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

/** For each rule an edit of a rendered overlay that breaks it: text that is there, and what it becomes. */
const breaches: Readonly<Record<string, readonly [overlay: string, from: string | RegExp, to: string]>> = {
  'single-writer-volume': ['dev', /replicas: 1(?=[^]{0,300}serviceName: counter)/, 'replicas: 2'],
  'single-writer-no-surge': ['dev', 'type: Recreate', 'type: RollingUpdate'],
  'one-storage': ['dev', 'COUNTER_STORE: ', 'COUNTER_STORE_FILE: /etc/ballast/secrets/store\n  COUNTER_STORE: '],
  'some-storage': ['dev', /COUNTER_STORE: .*/, 'COUNTER_LOG_LEVEL: info'],
  'embedded-store-needs-a-volume': ['dev', /mountPath: \/data$/gm, 'mountPath: /elsewhere'],
  'shared-file-needs-shared-mode': ['dev', /- ReadWriteOncePod/g, '- ReadWriteMany'],
  'autoscaler-owns-replicas': ['prod', /(kind: Deployment[^]{0,400}name: counter\n[^]*?spec:)/, '$1\n  replicas: 2'],
  'replicas-are-stated': ['dev', 'replicas: 1', 'minReadySeconds: 1'],
  'autoscaler-target-exists': ['prod', /(scaleTargetRef:[^]*?name: )counter/, '$1other'],
  'one-autoscaler': ['prod', /(scaleTargetRef:[^]*?name: )counter/, '$1message-store'],
  'disruption-budget': ['dev', 'maxUnavailable: 1', 'maxUnavailable: 0'],
  'selector-matches-template': ['dev', /(matchLabels:\n\s+app.kubernetes.io\/component: )api/g, '$1other'],
  'service-selects-one-workload': [
    'dev',
    /(kind: Service\n[^]*?selector:\n\s+app.kubernetes.io\/component: )\w+/,
    '$1other',
  ],
  'service-port-exists': ['dev', 'targetPort: http', 'targetPort: web'],
  'probe-port-exists': ['dev', /(path: \/readyz\n\s+port: )metrics/, '$1health'],
  'config-map-exists': ['dev', /(configMapRef:\n\s+name: )counter/, '$1other'],
  'service-account-exists': ['dev', 'serviceAccountName: counter', 'serviceAccountName: other'],
  'route-leads-to-a-service': ['prod', /(backendRefs:\n\s+- name: )counter/, '$1other'],
  'route-speaks-what-the-app-speaks': [
    'prod',
    /(kind: BackendTLSPolicy\n[^]*?kind: Service\n\s+name: )counter/,
    '$1scaler',
  ],
  'asked-in-this-namespace': [
    'keda',
    'http://load-tolerant-api.scenario.svc',
    'http://load-tolerant-api.elsewhere.svc',
  ],
  'claim-is-used': ['dev', 'claimName: redis', 'claimName: other'],
  'role-names-what-is-there': ['dev', /(resourceNames:\n\s+- )scaler-worker/, '$1scaler-worker-68fh6m79ft'],
  restricted: ['dev', '- ALL', '- NET_RAW'],
  'read-only-root': ['dev', 'readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false'],
  'exact-image': ['dev', 'image: redis:7.4.6', 'image: redis:latest'],
  'no-service-links': ['dev', 'enableServiceLinks: false', 'enableServiceLinks: true'],
  'three-probes': ['dev', 'path: /livez', 'path: /readyz'],
  'requests-and-limits': ['dev', /limits:\n\s+memory: /, 'limits:\n            cpu: '],
  'grace-covers-the-drain': ['dev', 'COUNTER_GRACE_MS: 25s', 'COUNTER_GRACE_MS: 38s'],
  'token-only-where-used': ['dev', 'automountServiceAccountToken: false', 'automountServiceAccountToken: true'],
  'secrets-by-reference': ['dev', /COUNTER_STORE: .*/, 'COUNTER_STORE: redis://user:password@host/0'],
  'secret-files-are-mounted': ['dev', 'SCALER_STORE_FILE: /etc/ballast/secrets', 'SCALER_STORE_FILE: /etc/other'],
  'network-policies-cover-everything': [
    'prod',
    /(podSelector:\n\s+matchLabels:\n\s+app.kubernetes.io\/name: )counter/,
    '$1other',
  ],
  'servers-keep-what-they-answer': ['dev', /- always$/m, '- everysec'],
  'storage-class-exists': ['prod', /(kind: StorageClass\n[^]*?name: )ballast-ebs/, '$1other'],
  'scraped-where-metrics-are': ['prod', /(podMetricsEndpoints:[^]*?port: )metrics/, '$1health'],
  'network-policies-let-through': ['staging', /(kind: NetworkPolicy\n[^]*?port:) 27017/, '$1 27018'],
}

/** The same of what is no workload: a Job, and a pod that names no account. */
const furtherBreaches: readonly (readonly [rule: string, from: RegExp, to: string])[] = [
  ['restricted', /(kind: Job\n[^]*?allowPrivilegeEscalation: )false/, '$1true'],
  ['read-only-root', /(kind: Job\n[^]*?readOnlyRootFilesystem: )true/, '$1false'],
  ['exact-image', /(kind: Job\n[^]*?image: mongo):[\d.]+/, '$1'],
  ['requests-and-limits', /(kind: Job\n[^]*?limits:\n\s+)memory/, '$1cpu'],
  ['no-service-links', /(kind: Job\n[^]*?enableServiceLinks: )false/, '$1true'],
  ['token-only-where-used', /(kind: Job\n[^]*?automountServiceAccountToken: )false/, '$1true'],
  ['restricted', /( +)containers:(?=\n[^]{0,80}--replSet)/, '$1initContainers: [{ name: first }]\n$1containers:'],
]

const scaledByAge = `kind: Service
metadata: { name: load-tolerant-api, namespace: scenario }
---
kind: ScaledObject
metadata: { name: consumer, namespace: scenario }
spec: { triggers: [{ metadata: { url: 'http://load-tolerant-api.scenario.svc:9090/metrics' } }] }
`

describe('each rule can fail', () => {
  const texts = new Map<string, string>()
  const parsed = new Map<string, KubernetesObject[]>()
  beforeAll(async () => {
    for (const name of ['dev', 'staging', 'prod']) texts.set(name, await committed(name))
    texts.set('keda', scaledByAge)
    for (const [name, text] of texts) parsed.set(name, parseObjects(text))
  })

  test('there is a breach of every rule', () => {
    expect(Object.keys(breaches).toSorted()).toEqual(rules.map(({ name }) => name).toSorted())
  })

  test.each(furtherBreaches)('%s, by %s', (name, from, to) => {
    const text = texts.get('dev') ?? ''
    const broken = text.replace(from, to)
    expect(broken).not.toBe(text)
    expect(rules.find((rule) => rule.name === name)?.check(parseObjects(broken))).not.toEqual([])
  })

  test.each(Object.entries(breaches))('%s', (name, [overlay, from, to]) => {
    const text = texts.get(overlay) ?? ''
    const broken: KubernetesObject[] = parseObjects(text.replace(from, to))
    const whole = parsed.get(overlay) ?? []
    expect(broken.length).toBe(whole.length)
    const own = rules.find((rule) => rule.name === name)
    expect(own?.check(whole)).toEqual([])
    expect(own?.check(broken)).not.toEqual([])
  })
})
