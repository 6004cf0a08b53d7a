import { freePort } from '@ballast/testing'
import { parseObjects } from '../kustomize/objects.ts'
import { startControlPlane } from './control-plane.ts'
import { foreignKinds } from './crds.ts'
import { waitFor } from './daemon.ts'
import type { Kubectl } from './kubectl.ts'

/** A real API server that is asked what it would do. Of itself it makes namespaces and kinds only. */
export interface Judge extends AsyncDisposable {
  readonly kubectl: Kubectl
  /**
   * How many objects it would take, strictly: an unknown field is an error. Rejects with its own words. What it has taken once is not asked
   * again: its verdict on an object does not depend on the others.
   */
  dryRun(objects: string | readonly object[]): Promise<number>
  /** A dry run makes no namespace that the objects after it could be in, so these are made. */
  haveNamespaces(names: Iterable<string>): Promise<void>
}

export interface JudgeOptions {
  readonly folder: string
  readonly binaries: string
  /** Definitions of other people's kinds; without them their objects are taken whatever they hold. */
  readonly schemas: string | undefined
}

/** etcd and kube-apiserver on free ports, without controllers. */
export async function startJudge({ folder, binaries, schemas }: JudgeOptions): Promise<Judge> {
  const [api, etcd, peer] = [await freePort(), await freePort(), await freePort()]
  const ports = { api, etcd, peer, manager: 0, scheduler: 0 }
  await using starting = new AsyncDisposableStack()
  const plane = starting.use(await startControlPlane({ folder, binaries, apiOnly: true, ports }))
  const { kubectl, daemons } = plane
  // Their definitions are too long for the annotation in which a client-side apply keeps what it was given.
  if (schemas === undefined) await kubectl.apply(foreignKinds)
  else await kubectl.run(['apply', '--server-side', `--filename=${schemas}`])
  const established = ['wait', '--for=condition=Established', 'customresourcedefinitions', '--all', '--timeout=60s']
  await waitFor('the other kinds', daemons, () => kubectl.run(established))
  const running = starting.move()
  const taken = new Set<string>()
  return {
    kubectl,
    async dryRun(objects) {
      const all = typeof objects === 'string' ? parseObjects(objects) : objects
      const fresh = new Map(all.map((object) => [JSON.stringify(object), object]))
      for (const known of taken) fresh.delete(known)
      if (fresh.size === 0) return all.length
      // Not as a list, which kubectl would look through itself before the server sees it.
      const documents = [...fresh.keys()].map((text) => `---\n${text}\n`).join('')
      const answer = await kubectl.apply(documents, '--dry-run=server', '--validate=strict')
      const verdicts = answer.trim().split('\n').length
      if (verdicts !== fresh.size) throw new Error(`${fresh.size} objects were judged in ${verdicts} lines: ${answer}`)
      for (const text of fresh.keys()) taken.add(text)
      return all.length
    },
    async haveNamespaces(names) {
      const labels = {
        'pod-security.kubernetes.io/warn': 'restricted',
        'pod-security.kubernetes.io/enforce': 'restricted',
      }
      const namespaces = [...names].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }))
      await kubectl.apply(namespaces)
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
