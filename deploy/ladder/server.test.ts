import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isWorkload, parseObjects, type KubernetesObject } from '../kustomize/objects.ts'
import { kustomize } from '../kustomize/rendered.ts'
import { deployFolder, render, targets } from '../kustomize/render.ts'
import { builtBinaries } from './binaries.ts'
import { foreignSchemas } from './foreign-schemas.ts'
import { startJudge, type Judge } from './judge.ts'
import { namespacesOf } from './levels/server.ts'
import { podsOf } from './pods-of.ts'

const hasKubectl = (): boolean => {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const binaries = builtBinaries()
/** Ten minutes of two cores are not spent by a test: whoever wants this level builds it once. */
const missing =
  binaries === undefined
    ? 'no Kubernetes in the cache: npm run deploy:check -- --level server builds it once, in about 10 minutes'
    : kustomize === undefined || !hasKubectl()
      ? 'no kubectl on PATH'
      : undefined
const schemas = missing === undefined ? await foreignSchemas(process.env['BACKENDS'] === 'all') : undefined

const withoutSchemas =
  ' (those of others skipped: their definitions are not in the cache, and there is no Go to fetch them)'
const ownKinds = ['Deployment', 'NetworkPolicy', 'HorizontalPodAutoscaler']
const foreignKinds = [
  'Certificate',
  'Cluster',
  'ScaledObject',
  'HTTPRoute',
  'BackendTLSPolicy',
  'PodMonitor',
  'PrometheusRule',
]

const stack = new AsyncDisposableStack()
let judge: Judge
let rendered: ReadonlyMap<string, string>

const renderAll = async (): Promise<ReadonlyMap<string, string>> => {
  const found = new Map<string, string>()
  if (kustomize === undefined) return found
  for (const target of targets) found.set(target, await render(kustomize, join(deployFolder, target)))
  return found
}

function onRealServer(): void {
  describe('a real kube-apiserver', { timeout: 240_000 }, () => {
    beforeAll(async () => {
      const folder = stack.use(await temporaryFolder())
      const [started, texts] = await Promise.all([
        startJudge({ folder: folder.path, binaries: binaries ?? '', schemas }),
        renderAll(),
      ])
      judge = stack.use(started)
      rendered = texts
      await judge.haveNamespaces(namespacesOf(rendered.values()))
    }, 300_000)
    afterAll(() => stack.disposeAsync())

    test.each(targets)('takes %s', async (target) => {
      const text = rendered.get(target) ?? ''
      expect(await judge.dryRun(text)).toBe(parseObjects(text).length)
    })

    test(`refuses an unknown field, of our kinds and of those of others${schemas === undefined ? withoutSchemas : ''}`, async () => {
      const kinds = schemas === undefined ? ownKinds : [...ownKinds, ...foreignKinds]
      const broken = kinds.map((kind) => `---\n${JSON.stringify(withUnknownField(kind))}\n`).join('')
      const complaints = await judge.dryRun(broken).then(String, String)
      for (const kind of kinds) {
        expect(complaints).toContain(
          `cannot be handled as a ${kind}: strict decoding error: unknown field "spec.livenes"`,
        )
      }
    })

    describe('the overlay with the names of the earlier systems, applied for real', () => {
      beforeAll(async () => {
        await judge.kubectl.apply(rendered.get('overlays/seed') ?? '')
        // What the controllers would have made. The namespace enforces the restricted standard on pods.
        const metadata = { name: 'default', namespace: 'assessment' }
        await judge.kubectl.apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata }, ...seedPods()])
      })

      test.each([
        ['get pods -l app=control-plane -o name', /^(pod\/scaler-control-plane-\S+\s){2}$/],
        ['get pods -l app=redis -o name', /^pod\/redis-\S+\s$/],
        ['get pods -l app=worker -o name', /^(pod\/scaler-worker-\d\s){3}(pod\/worker-\S+\s){2}$/],
        ['get pod postgres-0 -o jsonpath={.spec.containers[0].env[*].value}', /^user mydatabase$/],
        ['get deploy/redis -o jsonpath={.spec.template.spec.containers[0].resources.limits.memory}', /^512Mi$/],
        ['get pvc redis -o jsonpath={.spec.resources.requests.storage}', /^\d+Gi$/],
        ['get hpa load-tolerant-api -o jsonpath={.spec.minReplicas}-{.spec.maxReplicas}', /^10-30$/],
        ['get ingress -o jsonpath={.items[*].spec.rules[*].host}', /^assessment\.local$/],
        ['rollout restart deploy/worker', /restarted/],
        ['scale statefulset/scaler-worker --replicas=5', /scaled/],
        ['get statefulset/scaler-worker -o jsonpath={.spec.replicas}', /^5$/],
      ])('kubectl -n assessment %s', async (command, answer) => {
        expect(await judge.kubectl.run(['-n', 'assessment', ...command.split(' ')])).toMatch(answer)
      })

      test('a pod that may run as root is not taken', async () => {
        const [pod] = seedPods()
        const broken = {
          ...pod,
          metadata: { ...pod?.metadata, name: 'as-root' },
          spec: { ...Object(pod?.['spec']), securityContext: {} },
        }
        await expect(judge.dryRun([broken])).rejects.toThrow('violates PodSecurity "restricted')
      })
    })
  })
}

/** One line, not one for each of them. */
const declareMissing = (reason: string): void =>
  test.skipIf(true)(`a real kube-apiserver judges every overlay and scenario (skipped: ${reason})`, () => {
    expect.fail(reason)
  })

if (missing === undefined) onRealServer()
else declareMissing(missing)

/** Of the overlay with the names of the earlier systems. */
const seedPods = (): KubernetesObject[] =>
  parseObjects(rendered.get('overlays/seed') ?? '')
    .filter(isWorkload)
    .flatMap(podsOf)

/** The first rendered one, with a field that nobody knows. */
function withUnknownField(kind: string): KubernetesObject {
  const objects = [...rendered.values()].flatMap((text) => parseObjects(text))
  const object = objects.find((candidate) => candidate.kind === kind)
  if (object === undefined) throw new Error(`no overlay and no scenario has a ${kind}`)
  return { ...object, spec: { ...Object(object['spec']), livenes: true } }
}
