import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { namespace, runThere, type ProofContext } from './proof.ts'

export interface ContainerStatus {
  readonly containerID?: string
  readonly restartCount: number
  readonly state?: {
    readonly running?: object
    readonly terminated?: Ended
    readonly waiting?: { readonly reason?: string }
  }
  readonly lastState?: { readonly terminated?: Ended }
}

export interface Ended {
  readonly exitCode: number
}

export interface Pod {
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly deletionTimestamp?: string
  }
  readonly status: {
    readonly conditions?: readonly {
      readonly type: string
      readonly status: string
      readonly lastTransitionTime: string
    }[]
    readonly containerStatuses?: readonly ContainerStatus[]
  }
}

/** Those that are not about to go. */
export async function podsOf({ kubectl }: ProofContext, selector: string): Promise<readonly Pod[]> {
  const args = ['get', 'pods', `--selector=${selector}`, `--namespace=${namespace}`]
  const { items } = await kubectl.json<{ items: readonly Pod[] }>(args)
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

export const containerOf = (pod: Pod | undefined): string =>
  pod?.status.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? ''

const ctr = ({ folder }: ProofContext, ...args: string[]): string[] => [
  'ctr',
  '--address',
  join(folder, 'containerd.sock'),
  '--namespace',
  'k8s.io',
  ...args,
]

export async function killContainer(context: ProofContext, pod: Pod | undefined): Promise<void> {
  await runThere(context, ctr(context, 'tasks', 'kill', '--signal', 'SIGKILL', containerOf(pod)))
}

export interface ProcessFigures {
  /** From the start of the process until it listens, and every check that gates readiness has passed. */
  readonly startToReadyMs: number
  /** How long its main thread could have run and others did, from its start until now. */
  readonly waitedMs: number
  /** What it has computed since it started: unlike time, this does not depend on who else is busy. */
  readonly processorMs: number
  readonly residentBytes: number
  /** What the kubelet counts for the pod, and a limit is compared with: pages of the program, which pods share, count once on a node. */
  readonly countedBytes: number
}

/** Of a pod's process, as the node's kernel and the pod's log have it. */
export async function figuresOf(context: ProofContext, pod: Pod): Promise<ProcessFigures> {
  const tasks = await runThere(context, ctr(context, 'tasks', 'list'))
  const id = containerOf(pod)
  const pid =
    tasks
      .split('\n')
      .find((line) => line.startsWith(id))
      ?.trim()
      .split(/\s+/)[1] ?? ''
  const [stat, status, uptime, schedule] = await Promise.all(
    [`/proc/${pid}/stat`, `/proc/${pid}/status`, '/proc/uptime', `/proc/${pid}/schedstat`].map((path) =>
      readFile(path, 'utf8'),
    ),
  )
  // Behind the name, which may hold anything: field 22, in hundredths of a second since the machine started.
  const fields =
    stat
      ?.slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number) ?? []
  const [userTicks = Number.NaN, systemTicks = Number.NaN] = fields.slice(11, 13)
  const startedTicks = fields[19] ?? Number.NaN
  const nowTicks = Number(uptime?.split(' ')[0]) * 100
  const startedMs = Date.now() - (nowTicks - startedTicks) * 10
  const log = await context.kubectl.run(['logs', pod.metadata.name, `--namespace=${namespace}`])
  const line = log.split('\n').find((text) => text.includes('"msg":"listening"')) ?? '{}'
  const { time }: { time?: number | string } = JSON.parse(line)
  return {
    processorMs: (userTicks + systemTicks) * 10,
    startToReadyMs: new Date(time ?? Number.NaN).getTime() - startedMs,
    // Nanoseconds on a core, and those of waiting for one.
    waitedMs: Number(schedule?.split(' ')[1]) / 1e6,
    residentBytes: Number(/^VmRSS:\s+(\d+) kB/m.exec(status ?? '')?.[1]) * 1024,
    countedBytes: await countedBytes(context, pod),
  }
}

/** The working set, as metrics-server gets it. (The kubelet's summary wants to know the file system, and fails where that is a bind mount.) */
async function countedBytes({ kubectl }: ProofContext, { metadata }: Pod): Promise<number> {
  const text = await kubectl.run(['get', '--raw', '/api/v1/nodes/node1/proxy/metrics/resource'])
  const line = text
    .split('\n')
    .find((metric) => metric.startsWith('pod_memory_working_set_bytes') && metric.includes(`pod="${metadata.name}"`))
  return Number(line?.split('}')[1]?.trim().split(' ')[0])
}

const isReady = ({ status }: Pod): boolean =>
  status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true

/** The end of the log of each pod that is not ready, for the sentence that says what went wrong. */
export async function lastWords(context: ProofContext): Promise<string> {
  const late = (await podsOf(context, 'app.kubernetes.io/name')).filter((pod) => !isReady(pod))
  const words = late.map(async ({ metadata: { name } }) => {
    const log = context.kubectl.run(['logs', name, `--namespace=${namespace}`, '--tail=1']).catch(String)
    return `${name}: ${(await log).trim().slice(0, 300)}`
  })
  return (await Promise.all(words)).join('; ')
}
