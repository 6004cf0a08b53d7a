import { join } from 'node:path'
import { startDaemon, waitFor, type Daemon } from '../daemon.ts'
import { nodeAddress } from './network-namespace.ts'
import type { ProofContext } from './proof.ts'

const port = 22444
const name = 'metrics-server'
const apiService = 'v1beta1.metrics.k8s.io'
const where = { name, namespace: 'kube-system' }

/** Outside of the cluster, as far as the cluster can tell: a Service without pods, and an API that the API server asks there. */
const objects: readonly object[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: where,
    spec: { ports: [{ name: 'https', port: 443, targetPort: port }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...where, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'https', port, protocol: 'TCP' }],
    endpoints: [{ addresses: [nodeAddress], conditions: { ready: true } }],
  },
  {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: apiService },
    spec: {
      group: 'metrics.k8s.io',
      version: 'v1beta1',
      groupPriorityMinimum: 100,
      versionPriority: 100,
      insecureSkipTLSVerify: true,
      service: where,
    },
  },
]

/** The real metrics-server beside the kubelet: what an autoscaler decides by. Resolves when it has figures of pods. */
export async function startMetricsServer(
  context: ProofContext,
): Promise<AsyncDisposable & { readonly daemon: Daemon }> {
  const { kubectl, kubeconfig, binaries, folder, enter, daemons } = context
  const access = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig']
  const command = [
    ...enter,
    join(binaries, 'bin/metrics-server'),
    ...access.map((flag) => `--${flag}=${kubeconfig}`),
    `--secure-port=${port}`,
    '--bind-address=0.0.0.0',
    `--cert-dir=${folder}/metrics-server`,
    '--kubelet-insecure-tls',
    '--kubelet-preferred-address-types=InternalIP',
    // The kubelet here does not listen on the usual port.
    '--kubelet-use-node-status-port',
    '--metric-resolution=10s',
    '--kubelet-request-timeout=5s',
  ]
  const daemon = startDaemon(name, command, join(folder, 'log/metrics-server.log'))
  await kubectl.apply(objects)
  await waitFor('figures of pods', [...daemons, daemon], async () => {
    const answer = await kubectl.run(['get', '--raw', '/apis/metrics.k8s.io/v1beta1/namespaces/ballast/pods'])
    return answer.includes('"usage"') || undefined
  })
  return {
    daemon,
    async [Symbol.asyncDispose]() {
      // While an API is registered that nobody serves, no namespace can be deleted: the cluster cannot know what is in it.
      await kubectl.run(['delete', 'apiservice', apiService])
      await daemon[Symbol.asyncDispose]()
    },
  }
}
