import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { askKubernetes, type KubernetesAnswer, type KubernetesTarget } from '@ballast/locking/kubernetes-api'
import type { ScaleTarget } from './target.ts'

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'
const timeoutMs = 5_000

interface Scale {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly spec: { readonly replicas: number }
}

/**
 * The scale subresource of a StatefulSet: `kubernetes:<statefulset>`, in a pod; elsewhere
 * `kubernetes:<statefulset>?server=https://host:6443&namespace=default&credentials=<folder with token and ca.crt>`.
 * Needs get and update on statefulsets/scale. Written with the resource version that was read: what somebody else has
 * changed in between is not overwritten, but read again with the next step. Workers are named after their pods.
 * Nobody else (an HPA) may scale the same StatefulSet.
 */
export async function kubernetesTarget(url: string): Promise<ScaleTarget> {
  const { pathname: name, searchParams } = new URL(url)
  const unknown = [...searchParams.keys()].find((key) => !['server', 'namespace', 'credentials'].includes(key))
  if (unknown !== undefined || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) {
    throw new Error('write kubernetes:<statefulset>, with ?server=, namespace= and credentials= outside of a pod')
  }
  const credentials = searchParams.get('credentials') ?? serviceAccount
  const namespace = await namespaceOf(searchParams.get('namespace'), credentials)
  const server = new URL(searchParams.get('server') ?? 'https://kubernetes.default.svc')
  const target: KubernetesTarget = { server, namespace, credentials }
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/statefulsets/${encodeURIComponent(name)}/scale`
  const what = `StatefulSet ${name} in namespace ${namespace}`

  const ask = async (method: string, body?: unknown): Promise<KubernetesAnswer> => {
    try {
      return await askKubernetes(target, method, path, timeoutMs, body)
    } catch (cause) {
      throw new Error(`Kubernetes at ${server.host} did not answer`, { cause })
    }
  }
  const read = async (): Promise<Scale> => {
    const { status, body } = await ask('GET')
    if (status === 200 && isScale(body)) return body
    throw refused(status, body)
  }
  const refused = (status: number, body: unknown): Error => {
    if (status === 404) return new Error(`there is no ${what}`)
    if (status === 401 || status === 403) {
      return new Error(`not allowed to scale ${what}: grant get and update on statefulsets/scale`)
    }
    if (status === 409) return new Error(`${what} was changed by somebody else meanwhile; it is read again`)
    return new Error(`Kubernetes answered ${status} for ${what}${messageOf(body)}`)
  }

  return {
    name: `kubernetes ${namespace}/${name}`,
    current: async () => (await read()).spec.replicas,
    async scaleTo(workers, from) {
      const scale = await read()
      if (scale.spec.replicas === workers) return
      if (scale.spec.replicas !== from) throw refused(409, undefined)
      const { status, body } = await ask('PUT', { ...scale, spec: { ...scale.spec, replicas: workers } })
      if (status !== 200) throw refused(status, body)
    },
    workerName: (number) => `${name}-${number}`,
    [Symbol.asyncDispose]: async () => {},
  }
}

async function namespaceOf(given: string | null, credentials: string): Promise<string> {
  try {
    await readFile(join(credentials, 'token'), 'utf8')
    return given ?? (await readFile(join(credentials, 'namespace'), 'utf8')).trim()
  } catch (cause) {
    throw new Error(`no credentials for Kubernetes in ${credentials}: mount a service account`, { cause })
  }
}

function isScale(body: unknown): body is Scale {
  if (typeof body !== 'object' || body === null || !('spec' in body) || !('metadata' in body)) return false
  const { spec, metadata } = body
  if (typeof metadata !== 'object' || metadata === null) return false
  return typeof spec === 'object' && spec !== null && 'replicas' in spec && typeof spec.replicas === 'number'
}

function messageOf(body: unknown): string {
  if (typeof body !== 'object' || body === null || !('message' in body)) return ''
  return `: ${String(body.message).slice(0, 200)}`
}
