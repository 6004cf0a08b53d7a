import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Kubectl } from '../kubectl.ts'

const groupVersion = 'metrics.k8s.io/v1beta1'

export interface MetricsApi extends AsyncDisposable {
  /** Thousandths of a core that each pod is said to use, by what its label selector contains; others use none. */
  usage: Readonly<Record<string, number>>
}

/**
 * What metrics-server answers, about pods that only pretend to run: an API of the cluster that this process serves. The real autoscaler
 * controller asks it.
 */
export async function serveMetrics(folder: string, kubectl: Kubectl): Promise<MetricsApi> {
  await mkdir(folder, { recursive: true })
  const files = ['-keyout', 'key.pem', '-out', 'cert.pem']
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost', ...files]
  await promisify(execFile)('openssl', request, { cwd: folder })
  const [key, cert] = await Promise.all(['key.pem', 'cert.pem'].map((name) => readFile(join(folder, name))))
  const api = { usage: {} as MetricsApi['usage'] }

  async function answer(path: string): Promise<object> {
    const url = new URL(path, 'https://localhost')
    const namespace = /\/namespaces\/([^/]+)\/pods$/.exec(url.pathname)?.[1]
    if (namespace === undefined) return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources: [] }
    const selector = url.searchParams.get('labelSelector') ?? ''
    const found = Object.entries(api.usage).find(([part]) => selector.includes(part))
    const args = ['get', 'pods', `--namespace=${namespace}`, `--selector=${selector}`, '--output=name']
    const names = (await kubectl.run(args)).split('\n').filter(Boolean)
    const items = names.map((name) => ({
      metadata: { name: name.replace('pod/', ''), namespace },
      timestamp: new Date().toISOString(),
      window: '1s',
      containers: [{ name: 'app', usage: { cpu: `${found?.[1] ?? 0}m`, memory: '100Mi' } }],
    }))
    return { kind: 'PodMetricsList', apiVersion: groupVersion, metadata: {}, items }
  }

  const server = createServer({ key, cert }, (asked, response) => {
    answer(asked.url ?? '/').then(
      (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await kubectl.apply(objectsFor(port))
  return Object.assign(api, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

/** A Service by name, because no Service may have endpoints on loopback. */
function objectsFor(port: number | undefined): readonly object[] {
  const where = { name: 'metrics', namespace: 'kube-system' }
  const [group, version] = groupVersion.split('/')
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: where,
      spec: { type: 'ExternalName', externalName: 'localhost', ports: [{ name: 'https', port }] },
    },
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${version}.${group}` },
      spec: {
        group,
        version,
        groupPriorityMinimum: 100,
        versionPriority: 100,
        insecureSkipTLSVerify: true,
        service: { ...where, port },
      },
    },
  ]
}
