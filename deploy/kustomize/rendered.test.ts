import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { apps } from '../image/apps.ts'
import { leftAtDefault, variables } from './environment.ts'
import { generatedFiles, overlays } from './generated.ts'
import { typeErrors } from './literals.ts'
import { at, isWorkload, matches, type KubernetesObject } from './objects.ts'
import { committed, kustomize, renderedObjects } from './rendered.ts'
import { deployFolder, render, targets } from './render.ts'
import { complaintOf, roleOf } from './role-config.ts'
import { policies } from './policies.ts'
import { rules, violations } from './rules.ts'
import { schemaErrors } from './schema.ts'

const title = kustomize === undefined ? ' (skipped: neither kustomize 5 nor a kubectl that has it)' : ''
let rendered: ReadonlyMap<string, KubernetesObject[]>

beforeAll(async () => {
  rendered = await renderedObjects()
})

const all = (): KubernetesObject[] => [...rendered.values()].flat()

test('what is generated is up to date: npm run deploy:render', async () => {
  for (const [path, content] of await generatedFiles()) {
    expect(await readFile(join(deployFolder, path), 'utf8'), path).toBe(content)
  }
})

describe.skipIf(kustomize === undefined)(`rendering${title}`, () => {
  test.each(overlays)('%s renders as committed: npm run deploy:render shows what a change does to it', async (name) => {
    if (kustomize === undefined) throw new Error('skipped')
    expect(await render(kustomize, join(deployFolder, 'overlays', name))).toBe(await committed(name))
  })

  test('every overlay and scenario renders', () => {
    expect([...rendered.keys()]).toEqual(targets)
  })
})

describe('in every overlay and scenario', () => {
  test.each(Object.entries(policies))('%s', (_, names) => {
    const broken = [...rendered].flatMap(([target, objects]) =>
      violations(objects, names).map((what) => `${target}: ${what}`),
    )
    expect(broken).toEqual([])
  })
})

test('every rule belongs to one policy, and every policy has rules', () => {
  expect(Object.values(policies).flat().toSorted()).toEqual(rules.map(({ name }) => name).toSorted())
})

test('every object fits the schema of its kind', async () => {
  const checked = await Promise.all(all().map((object) => schemaErrors(object)))
  expect(checked.flatMap((errors) => errors ?? [])).toEqual([])
  expect(checked.filter((errors) => errors !== undefined).length).toBeGreaterThan(100)
})

test('a defect is one for the schema, too', async () => {
  const workload = all().find(isWorkload)
  const broken = { ...workload, spec: { ...workload?.spec, replicas: 'three' } }
  expect(await schemaErrors(broken as unknown as KubernetesObject)).toEqual([expect.stringContaining('replicas')])
})

test('every object is a literal of the type of its kind, without unknown fields', async () => {
  expect(await typeErrors(all())).toBe('')
  const pod = JSON.stringify(all().find(isWorkload)).replace('"livenessProbe"', '"livenesProbe"')
  expect(await typeErrors([JSON.parse(pod)])).toMatch(/livenesProbe.* does not exist in type/)
})

const ownMaps = (): [string, string][] =>
  all()
    .filter(({ kind, metadata }) => kind === 'ConfigMap' && apps.some(({ name }) => metadata.name.startsWith(name)))
    .flatMap((map): [string, string][] => Object.entries(at(map, 'data') ?? {}))

describe('the environment', () => {
  const prefixes = apps.map(({ prefix }) => prefix)
  test('every variable in a ConfigMap is one that the app reads', () => {
    const unknown = ownMaps().filter(([name]) => !variables.has(name) && !variables.has(name.replace(/_FILE$/, '')))
    expect(unknown).toEqual([])
  })

  test('every value is one that the program takes', () => {
    const complaints = [...rendered].flatMap(([target, objects]) =>
      objects.filter(isWorkload).flatMap((workload) =>
        workload.spec.template.spec.containers
          .filter(({ name }) => name === 'app')
          .map(({ image, args, envFrom = [] }) => {
            const names = new Set(envFrom.map(({ configMapRef }) => configMapRef?.name))
            const maps = objects.filter(({ kind, metadata }) => kind === 'ConfigMap' && names.has(metadata.name))
            return complaintOf(roleOf(image, args), Object.assign({}, ...maps.map((map) => at(map, 'data'))))
          })
          .filter((complaint) => complaint !== undefined)
          .map((complaint) => `${target}, ${workload.metadata.name}: ${complaint}`),
      ),
    )
    expect(complaints).toEqual([])
    expect(complaintOf('counter serve', { COUNTER_GRACE_MS: 'soon' })).toContain('COUNTER_GRACE_MS')
  })

  test('every variable that an app reads is set somewhere, or left at its default for a reason', () => {
    const set = new Set(ownMaps().map(([name]) => name.replace(/_FILE$/, '')))
    const inImage = new Set(prefixes.flatMap((prefix) => [`${prefix}_LISTEN`, `${prefix}_METRICS_LISTEN`]))
    const left = new Set(Object.keys(leftAtDefault).flatMap((names) => names.split(' ')))
    const optionOf = (name: string): string =>
      name.slice((prefixes.find((prefix) => name.startsWith(`${prefix}_`))?.length ?? 0) + 1)
    const undecided = [...variables].filter((name) => !set.has(name) && !inImage.has(name) && !left.has(optionOf(name)))
    expect(undecided).toEqual([])
    const options = new Set([...variables].map(optionOf))
    expect(
      [...left].filter((name) => !options.has(name)),
      'left at default, but no option',
    ).toEqual([])
  })
})

const seed = (): KubernetesObject[] => rendered.get('overlays/seed') ?? []
const named = (kind: string, name: string): KubernetesObject | undefined =>
  seed().find((object) => object.kind === kind && object.metadata.name === name)

const podsOf = (labels: Record<string, string>): string[] =>
  seed()
    .filter(isWorkload)
    .filter(({ spec }) => matches(spec.template.metadata.labels, labels))
    .map(({ metadata }) => metadata.name)

describe('names that the monitoring commands of the earlier systems use', () => {
  test.each([
    ['app=control-plane', { app: 'control-plane' }, ['scaler-control-plane']],
    ['app=redis', { app: 'redis' }, ['redis']],
    ['app=worker', { app: 'worker' }, ['worker', 'scaler-worker']],
  ])('kubectl logs -l %s', (_, labels, names) => {
    expect(podsOf(labels)).toEqual(names)
  })

  test('kubectl -n assessment rollout restart deploy/worker; kubectl -n assessment exec deploy/redis', () => {
    const deployments = seed().filter(({ kind }) => kind === 'Deployment')
    expect(deployments.map(({ metadata }) => metadata.name)).toEqual(expect.arrayContaining(['worker', 'redis']))
    expect(
      new Set(
        seed()
          .filter(isWorkload)
          .map(({ metadata }) => metadata.namespace),
      ),
    ).toEqual(new Set(['assessment']))
  })

  test('kubectl exec postgres-0 -- psql -U user -d mydatabase', () => {
    const postgres = seed()
      .filter(isWorkload)
      .find(({ metadata }) => metadata.name === 'postgres')
    expect(postgres?.kind).toBe('StatefulSet')
    const env = postgres?.spec.template.spec.containers[0]?.env
    expect(env).toEqual(
      expect.arrayContaining([
        { name: 'POSTGRES_USER', value: 'user' },
        { name: 'POSTGRES_DB', value: 'mydatabase' },
      ]),
    )
  })

  test('curl http://assessment.local/api/data, with a Redis of 512Mi and a volume, 10 to 30 replicas', () => {
    expect(at(named('Ingress', 'load-tolerant-api'), 'spec', 'rules', 0, 'host')).toBe('assessment.local')
    const redis = at(named('Deployment', 'redis'), 'spec', 'template', 'spec')
    expect(at(redis, 'containers', 0, 'resources', 'limits', 'memory')).toBe('512Mi')
    expect(at(redis, 'volumes')).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'data' })]))
    const { minReplicas, maxReplicas } = Object(named('HorizontalPodAutoscaler', 'load-tolerant-api')?.['spec'])
    expect([minReplicas, maxReplicas]).toEqual([10, 30])
  })
})
