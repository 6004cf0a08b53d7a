import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const name = 'ballast-node'
/** Of the node inside its namespace; nobody outside can reach it. */
export const nodeAddress = '192.168.77.1'

/** kubelet sets these for the whole machine. */
const sysctls = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops']

export interface NetworkNamespace extends AsyncDisposable {
  /** Put before a command. Not `ip netns exec`, which hides the cgroup mounts. */
  readonly enter: readonly string[]
}

/** A network of its own for the node: its bridge, iptables rules and ports touch nobody else. */
export async function createNetworkNamespace(): Promise<NetworkNamespace> {
  const before = await Promise.all(sysctls.map((path) => readFile(`/proc/sys/${path}`, 'utf8')))
  await run('ip', ['netns', 'delete', name]).catch(() => undefined)
  await run('ip', ['netns', 'add', name])
  const enter = ['nsenter', `--net=/run/netns/${name}`]
  const setUp = [
    'ip link set lo up',
    'ip link add n0 type veth peer name n1',
    `ip addr add ${nodeAddress}/24 dev n0`,
    'ip link set n0 up',
    'ip link set n1 up',
    'ip route add default via 192.168.77.254 dev n0',
    'sysctl -q -w net.ipv4.ip_forward=1',
  ]
  for (const command of setUp) await run('nsenter', [...enter.slice(1), ...command.split(' ')])
  return {
    enter,
    async [Symbol.asyncDispose]() {
      for (const [at, path] of sysctls.entries())
        await writeFile(`/proc/sys/${path}`, before[at] ?? '').catch(() => undefined)
      await run('ip', ['netns', 'delete', name])
    },
  }
}
