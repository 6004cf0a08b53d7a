import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
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

const networks = async (): Promise<readonly string[]> => {
  const { stdout } = await run('ip', ['netns', 'list'])
  return stdout.split('\n').map((line) => line.split(' ')[0] ?? '')
}

/** One node at a time, for the cgroups of pods are the machine's. The kernel frees the address with the process, however that ends. */
async function takeLock(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(`\0${name}`, resolve)
  }).catch((cause: unknown) => {
    throw new Error('another level runs on a node: one at a time', { cause })
  })
  return server.unref()
}

/** A network of its own for the node: its bridge, iptables rules and ports touch nobody else. Rejects where another level has it. */
export async function createNetworkNamespace(): Promise<NetworkNamespace> {
  const lock = await takeLock()
  const { stdout: pids } = await run('ip', ['netns', 'pids', name]).catch(() => ({ stdout: '' }))
  if (pids.trim() !== '') {
    lock.close()
    const found = pids.trim().split(/\s+/).join(' ')
    throw new Error(`a level that was killed outright has left these processes, which must end first: kill ${found}`)
  }
  const known = new Set(await networks())
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
      // Those of pods go with the pods, unless a pod did not.
      const left = (await networks()).filter((other) => other.startsWith('cni-') && !known.has(other))
      for (const other of [...left, name]) await run('ip', ['netns', 'delete', other])
      lock.close()
    },
  }
}
