import { setTimeout as delay } from 'node:timers/promises'
import { figuresOf, podsOf, type ProcessFigures } from '../pods.ts'
import { namespace, rolledOut, type Proof, type ProofContext } from '../proof.ts'

const startTargetMs = 2_000
const memoryTargetBytes = 120e6
const restMs = 20_000

interface Subject {
  readonly name: string
  readonly workload: string
  readonly selector: string
}

/** One for each role. */
export const subjects: readonly Subject[] = [
  { name: 'counter', workload: 'deployment/counter', selector: 'name=counter' },
  { name: 'message store', workload: 'deployment/message-store', selector: 'name=message-store' },
  { name: 'control plane', workload: 'deployment/scaler-control-plane', selector: 'component=control-plane' },
  { name: 'worker', workload: 'statefulset/scaler-worker', selector: 'component=worker' },
  { name: 'api', workload: 'deployment/load-tolerant-api', selector: 'component=api' },
  { name: 'consumer', workload: 'deployment/load-tolerant-api-consumer', selector: 'component=consumer' },
].map((subject) => ({ ...subject, selector: `app.kubernetes.io/${subject.selector}` }))

const names = subjects.map(({ name }) => name).join(', ')

/** How fast a process starts that nobody disturbs, and what it holds in memory while nobody asks it for anything. */
export const rest: Proof = {
  name: 'rest',
  async run(context) {
    const starts: ProcessFigures[] = []
    for (const subject of subjects) starts.push(await figuresOfNew(context, subject))
    await delay(restMs)
    const largest = await Promise.all(subjects.map((subject) => figuresOfLargest(context, subject)))
    const add = (what: string, list: readonly number[]): void =>
      context.table.add(what, list.map((figure) => figure.toFixed(0)).join(', '))
    add(
      `milliseconds from the start of the process to ready (target: below 2000): ${names}`,
      starts.map(({ startToReadyMs }) => startToReadyMs),
    )
    add(
      'it waited for a core that others had, until it was looked at',
      starts.map(({ waitedMs }) => waitedMs),
    )
    add(
      'of which it computed itself, start included, on whatever cores',
      starts.map(({ processorMs }) => processorMs),
    )
    add(
      `megabytes of memory at rest, as the kubelet counts them, the largest pod of each (target: below 120): ${names}`,
      largest.map(({ countedBytes }) => countedBytes / 1e6),
    )
    add(
      'resident, with the pages of Node itself, which the pods of a node share',
      largest.map(({ residentBytes }) => residentBytes / 1e6),
    )
    const large = subjects.filter((_, index) => !((largest[index]?.countedBytes ?? Number.NaN) < memoryTargetBytes))
    if (large.length > 0) throw new Error(`at rest 120 MB or more are held by ${nameAll(large)}`)
    const slow = subjects.filter((_, index) => !(judgedMs(starts[index]) < startTargetMs))
    if (slow.length > 0) throw new Error(`2 s or more to start are needed by ${nameAll(slow)}`)
  },
}

/** The time on the clock, unless it is that of a machine whose cores are busy with something else: then what the process computed. */
const judgedMs = (figures: ProcessFigures | undefined): number => {
  if (figures === undefined) return Number.NaN
  const { startToReadyMs, processorMs, waitedMs } = figures
  return waitedMs > startToReadyMs / 4 ? processorMs : startToReadyMs
}

const nameAll = (list: readonly Subject[]): string => list.map(({ name }) => name).join(', ')

/** Of a pod that takes the place of one that is deleted. */
async function figuresOfNew(context: ProofContext, { workload, selector }: Subject): Promise<ProcessFigures> {
  const before = await podsOf(context, selector)
  const victim = before[0]?.metadata.name ?? ''
  await context.kubectl.run(['delete', 'pod', victim, `--namespace=${namespace}`, '--timeout=120s'])
  await rolledOut(context, workload)
  const kept = new Set(before.slice(1).map(({ metadata }) => metadata.name))
  const fresh = (await podsOf(context, selector)).find(({ metadata }) => !kept.has(metadata.name))
  if (fresh === undefined) throw new Error(`no pod of ${workload} took the place of ${victim}`)
  return figuresOf(context, fresh)
}

/** Of the pod that the kubelet counts most memory for. */
export async function figuresOfLargest(context: ProofContext, { selector }: Subject): Promise<ProcessFigures> {
  const pods = await podsOf(context, selector)
  const all = await Promise.all(pods.map((pod) => figuresOf(context, pod)))
  const [largest] = all.toSorted((a, b) => b.countedBytes - a.countedBytes)
  if (largest === undefined) throw new Error(`no pod has ${selector}`)
  return largest
}
