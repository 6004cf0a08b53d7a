import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startDaemon, waitFor, type Daemon } from './daemon.ts'
import { Kubectl } from './kubectl.ts'

const run = promisify(execFile)

export interface ControlPlane extends AsyncDisposable {
  readonly kubectl: Kubectl
  readonly daemons: readonly Daemon[]
  /** Path of a kubeconfig: of the administrator, of the node's kubelet, of kwok. */
  kubeconfig(user: 'admin' | 'node1'): string
}

export interface ControlPlaneOptions {
  readonly folder: string
  readonly binaries: string
  /** Put before each command: to enter a network namespace. */
  readonly enter?: readonly string[]
  /** Where the API server is reached; its certificate is made for this address. */
  readonly address?: string
  /** Without controllers and scheduler: requests are judged, and nothing is done about them. Default: with them. */
  readonly apiOnly?: boolean
  /** Default: always the same ones, which two clusters of one network namespace cannot both have. */
  readonly ports?: ControlPlanePorts
}

export interface ControlPlanePorts {
  readonly api: number
  readonly etcd: number
  readonly peer: number
  readonly manager: number
  readonly scheduler: number
}

const usualPorts: ControlPlanePorts = { api: 22443, etcd: 22379, peer: 22380, manager: 22257, scheduler: 22259 }

/**
 * etcd, kube-apiserver, kube-controller-manager and kube-scheduler: a real control plane without nodes. Callers are told apart
 * by tokens; the API server makes its own certificate. The autoscaler looks every 2 s and forgets after 10 s, for short tests.
 */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { folder, binaries, enter = [], address = '127.0.0.1', apiOnly = false, ports = usualPorts } = options
  await mkdir(join(folder, 'log'), { recursive: true })
  const tokens = { admin: token(), manager: token(), scheduler: token(), node1: token() }
  await makeKeys(folder)
  await writeFile(
    join(folder, 'tokens.csv'),
    [
      `${tokens.admin},admin,1,"system:masters"`,
      `${tokens.manager},system:kube-controller-manager,2`,
      `${tokens.scheduler},system:kube-scheduler,3`,
      `${tokens.node1},system:node:node1,4,"system:nodes"`,
      '',
    ].join('\n'),
  )
  const certificate = join(folder, 'certs/apiserver.crt')
  const kubeconfig = (user: string): string => join(folder, `${user}.conf`)
  for (const [user, secret] of Object.entries(tokens)) {
    await writeFile(kubeconfig(user), kubeconfigText(`https://${address}:${ports.api}`, certificate, secret))
  }
  const daemons: Daemon[] = []
  const start = (name: string, ...args: string[]): void => {
    daemons.push(startDaemon(name, [...enter, join(binaries, 'bin', name), ...args], join(folder, `log/${name}.log`)))
  }
  const etcd = `http://127.0.0.1:${ports.etcd}`
  start(
    'etcd',
    '--name=one',
    `--data-dir=${folder}/etcd`,
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=http://127.0.0.1:${ports.peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${ports.peer}`,
    `--initial-cluster=one=http://127.0.0.1:${ports.peer}`,
    '--unsafe-no-fsync',
  )
  start(
    'kube-apiserver',
    `--etcd-servers=${etcd}`,
    `--bind-address=${address === '127.0.0.1' ? address : '0.0.0.0'}`,
    `--advertise-address=${address}`,
    `--secure-port=${ports.api}`,
    `--cert-dir=${folder}/certs`,
    `--token-auth-file=${folder}/tokens.csv`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--service-account-key-file=${folder}/sa.key`,
    `--service-account-signing-key-file=${folder}/sa.key`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--allow-privileged=true',
    `--endpoint-reconciler-type=${address === '127.0.0.1' ? 'none' : 'lease'}`,
    `--requestheader-client-ca-file=${folder}/fpca.crt`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${folder}/fp.crt`,
    `--proxy-client-key-file=${folder}/fp.key`,
    // On a node an API of somebody else is asked where its endpoints are; without one, by the name that its Service has.
    `--enable-aggregator-routing=${address !== '127.0.0.1'}`,
    '--kubelet-preferred-address-types=InternalIP',
  )
  const kubectl = new Kubectl(kubeconfig('admin'), enter)
  await waitFor('the API server', daemons, async () => {
    await stat(certificate)
    return (await kubectl.run(['get', '--raw', '/readyz'])).trim() === 'ok' || undefined
  })
  const plane: ControlPlane = {
    kubectl,
    daemons,
    kubeconfig,
    async [Symbol.asyncDispose]() {
      for (const daemon of daemons.toReversed()) await daemon[Symbol.asyncDispose]()
    },
  }
  if (apiOnly) return plane
  start(
    'kube-controller-manager',
    ...accessOf(kubeconfig('manager')),
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.manager}`,
    '--leader-elect=false',
    '--use-service-account-credentials',
    `--service-account-private-key-file=${folder}/sa.key`,
    `--root-ca-file=${certificate}`,
    '--controllers=*',
    '--horizontal-pod-autoscaler-sync-period=2s',
    '--horizontal-pod-autoscaler-downscale-stabilization=10s',
    '--node-monitor-grace-period=40s',
  )
  start(
    'kube-scheduler',
    ...accessOf(kubeconfig('scheduler')),
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.scheduler}`,
    '--leader-elect=false',
  )
  await waitFor('the default service account', daemons, async () =>
    kubectl.run(['get', 'serviceaccount', 'default', '--namespace=default']),
  )
  return plane
}

const token = (): string => randomBytes(16).toString('hex')

const accessOf = (file: string): string[] =>
  ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map((flag) => `--${flag}=${file}`)

/** The key that signs service accounts' tokens, and the pair with which the API server calls metrics-server. */
async function makeKeys(folder: string): Promise<void> {
  const openssl = (...args: string[]): Promise<unknown> => run('openssl', args, { cwd: folder })
  await openssl('genrsa', '-out', 'sa.key', '2048')
  const ca = ['-subj', '/CN=front-proxy-ca', '-keyout', 'fpca.key', '-out', 'fpca.crt']
  await openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', ...ca)
  await openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=front-proxy-client',
    '-keyout',
    'fp.key',
    '-out',
    'fp.csr',
  )
  const sign = ['-CA', 'fpca.crt', '-CAkey', 'fpca.key', '-CAcreateserial', '-days', '30', '-out', 'fp.crt']
  await openssl('x509', '-req', '-in', 'fp.csr', ...sign)
}

function kubeconfigText(server: string, ca: string, secret: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority': ca } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    users: [{ name: 'u', user: { token: secret } }],
  })
}
