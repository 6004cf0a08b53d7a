import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { waitFor } from '../../daemon.ts'
import { ask, failures, load, namespace, rolledOut, seconds, show, type ProofContext } from '../proof.ts'

const url = 'http://10.96.0.21/'
const deployment = 'deployment/counter'
const selector = ['--selector=app.kubernetes.io/name=counter', `--namespace=${namespace}`]

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string }
    readonly status: { readonly containerStatuses?: readonly { restartCount: number; containerID?: string }[] }
  }[]
}

/** Rolled out, killed, and given an image that does not exist, always under load; and a control that must lose requests. */
export async function proveCounter(context: ProofContext): Promise<void> {
  const { kubectl, table } = context
  const before = await value(context)
  const [rolled] = await Promise.all([load(context, url, 30), restart(context)])
  const added = (await value(context)) - before
  table.add('a roll-out of the counter under load: answered, failed', show(rolled))
  table.add('its value went up by', String(added))
  if (failures(rolled) > 0) throw new Error('a roll-out lost requests')
  if (added !== rolled.ok) throw new Error(`${rolled.ok} additions were answered, and ${added} are there`)

  const [killed, took] = await Promise.all([load(context, url, 20), kill(context)])
  table.add('one of two replicas killed under load: answered, failed', show(killed))
  table.add('until it was ready again', took)

  await kubectl.run(['set', 'image', deployment, 'app=localhost/ballast/counter:0.0.0', `--namespace=${namespace}`])
  await waitFor('the image that does not exist', context.daemons, async () => {
    const reason = 'jsonpath={.items[*].status.containerStatuses[*].state.waiting.reason}'
    const reasons = await kubectl.run(['get', 'pods', ...selector, '-o', reason])
    return /ErrImage|ImagePullBackOff/.test(reasons) || undefined
  })
  const missing = await load(context, url, 3)
  await kubectl.run(['rollout', 'undo', deployment, `--namespace=${namespace}`])
  await rolledOut(context, deployment)
  table.add('while an image that does not exist was rolled out, before `rollout undo`', show(missing))
  if (failures(missing) > 0) throw new Error('an image that does not exist took the service away')
}

/** With a process that ends as soon as it is told to, before the proxies have heard of it, the same load must see failures. */
export async function proveControl(context: ProofContext): Promise<void> {
  const env = [{ name: 'COUNTER_DRAIN_DELAY_MS', value: '0s' }]
  const patch = { spec: { template: { spec: { containers: [{ name: 'app', lifecycle: null, env }] } } } }
  const args = [deployment, `--namespace=${namespace}`, '--patch', JSON.stringify(patch)]
  await context.kubectl.run(['patch', ...args])
  await rolledOut(context, deployment)
  const rounds = async (): Promise<void> => {
    for (let round = 0; round < 3; round++) await restart(context)
  }
  const [lossy] = await Promise.all([load(context, url, 40), rounds()])
  context.table.add('three roll-outs without a drain, as a control: answered, failed', show(lossy))
  if (failures(lossy) === 0) throw new Error('without a drain nothing was lost either: this level proves nothing')
}

const value = async (context: ProofContext): Promise<number> => Number(/\d+/.exec(await ask(context, url))?.[0])

async function restart(context: ProofContext): Promise<void> {
  await delay(3_000)
  await context.kubectl.run(['rollout', 'restart', deployment, `--namespace=${namespace}`])
  await rolledOut(context, deployment)
}

async function kill(context: ProofContext): Promise<string> {
  const { kubectl, folder, daemons } = context
  const pods = (): Promise<Pods> => kubectl.json(['get', 'pods', ...selector])
  await delay(3_000)
  const [victim] = (await pods()).items
  const id = victim?.status.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? ''
  const begun = performance.now()
  const socket = ['--address', join(folder, 'containerd.sock'), '--namespace', 'k8s.io']
  await promisify(execFile)('ctr', [...socket, 'tasks', 'kill', '--signal', 'SIGKILL', id])
  await waitFor('the restart', daemons, async () => {
    const again = (await pods()).items.find(({ metadata }) => metadata.name === victim?.metadata.name)
    return (again?.status.containerStatuses?.[0]?.restartCount ?? 0) > 0 || undefined
  })
  await rolledOut(context, deployment)
  return seconds(begun)
}
