import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { startControlPlane, type ControlPlane } from '../control-plane.ts'
import { startDaemon, waitFor, type Daemon } from '../daemon.ts'
import { bridge, containerdToml, kubelet } from './configuration.ts'
import { nodeAddress, type NetworkNamespace } from './network-namespace.ts'

const run = promisify(execFile)

export interface ClusterNode extends AsyncDisposable {
  readonly plane: ControlPlane
  readonly daemons: readonly Daemon[]
}

async function find(program: string): Promise<string> {
  const { stdout } = await run('which', [program]).catch(() => {
    throw new Error(
      `${program} is missing: apt-get install containerd runc containernetworking-plugins iptables conntrack`,
    )
  })
  return stdout.trim()
}

/** A control plane and one real node: containerd, runc, a bridge, kubelet and kube-proxy, all in the network namespace. What is in `namespaces` goes first in the end. */
export async function startNode(
  folder: string,
  binaries: string,
  network: NetworkNamespace,
  images: readonly string[],
  namespaces: readonly string[],
): Promise<ClusterNode> {
  const cni = ['/usr/lib/cni', '/opt/cni/bin'].find((path) => existsSync(join(path, 'bridge')))
  if (cni === undefined) throw new Error('the CNI plugins are missing: apt-get install containernetworking-plugins')
  const [containerd, runc] = await Promise.all([find('containerd'), find('runc'), find('iptables'), find('conntrack')])
  const { enter } = network
  for (const name of ['cni', 'kubelet', 'podlogs', 'log']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'containerd.toml'), containerdToml(folder, cni, runc))
  await writeFile(join(folder, 'cni/10-bridge.conflist'), JSON.stringify(bridge(folder)))
  await writeFile(join(folder, 'kubelet.json'), JSON.stringify(kubelet(folder)))
  const log = (name: string): string => join(folder, `log/${name}.log`)
  const daemons: Daemon[] = [
    startDaemon('containerd', [...enter, containerd, '-c', `${folder}/containerd.toml`], log('containerd')),
  ]
  const socket = `${folder}/containerd.sock`
  await waitFor('containerd', daemons, async () => (await run('ctr', ['-a', socket, 'version'])).stdout)
  for (const image of images) await run('ctr', ['-a', socket, '-n', 'k8s.io', 'images', 'import', image])
  const plane = await startControlPlane({ folder: join(folder, 'plane'), binaries, enter, address: nodeAddress })
  const bin = (name: string): string[] => [...enter, join(binaries, 'bin', name)]
  daemons.push(
    startDaemon(
      'kubelet',
      [
        ...bin('kubelet'),
        `--config=${folder}/kubelet.json`,
        `--kubeconfig=${plane.kubeconfig('node1')}`,
        `--root-dir=${folder}/kubelet`,
        '--hostname-override=node1',
        `--node-ip=${nodeAddress}`,
        `--cert-dir=${folder}/kubelet/pki`,
      ],
      log('kubelet'),
    ),
    startDaemon(
      'kube-proxy',
      [
        ...bin('kube-proxy'),
        `--kubeconfig=${plane.kubeconfig('admin')}`,
        '--hostname-override=node1',
        '--cluster-cidr=10.244.0.0/16',
        '--proxy-mode=iptables',
        '--conntrack-max-per-core=0',
        '--healthz-bind-address=127.0.0.1:22256',
        '--metrics-bind-address=127.0.0.1:22249',
      ],
      log('kube-proxy'),
    ),
  )
  await waitFor('the node', daemons, () =>
    plane.kubectl.run(['wait', '--for=condition=Ready', 'node/node1', '--timeout=2s']),
  )
  return {
    plane,
    daemons,
    async [Symbol.asyncDispose]() {
      // Pods first: only a kubelet that runs unmounts what it has mounted.
      await plane.kubectl
        .run(['delete', 'namespace', ...namespaces, '--ignore-not-found', '--timeout=120s'])
        .catch(() => undefined)
      for (const daemon of daemons.slice(1).toReversed()) await daemon[Symbol.asyncDispose]()
      await endContainers(socket)
      await plane[Symbol.asyncDispose]()
      await daemons[0]?.[Symbol.asyncDispose]()
      await unmountBelow(folder)
      await removeCgroups()
    },
  }
}

/** Those that the kubelet did not end in time: no container ends with the daemon that started it. */
async function endContainers(socket: string): Promise<void> {
  const ctr = async (...args: string[]): Promise<readonly string[]> => {
    const { stdout } = await run('ctr', ['-a', socket, '-n', 'k8s.io', ...args]).catch(() => ({ stdout: '' }))
    return stdout.split('\n').filter(Boolean)
  }
  for (const task of await ctr('tasks', 'list', '--quiet')) await ctr('tasks', 'delete', '--force', task)
  for (const container of await ctr('containers', 'list', '--quiet')) await ctr('containers', 'delete', container)
}

async function unmountBelow(folder: string): Promise<void> {
  const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
  for (const path of mounts
    .filter((mount) => mount.startsWith(`${folder}/`))
    .toSorted()
    .toReversed()) {
    await run('umount', [path]).catch(() => undefined)
  }
}

async function removeCgroups(): Promise<void> {
  for (const controller of await readdir('/sys/fs/cgroup').catch(() => [])) {
    const top = join('/sys/fs/cgroup', controller, 'kubepods')
    const found = await readdir(top, { recursive: true, withFileTypes: true }).catch(() => [])
    const folders = found.filter((item) => item.isDirectory()).map((item) => join(item.parentPath, item.name))
    for (const path of [...folders.toSorted().toReversed(), top]) await rmdir(path).catch(() => undefined)
  }
}
