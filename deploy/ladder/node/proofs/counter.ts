import { setTimeout as delay } from 'node:timers/promises'
import { waitFor } from '../../daemon.ts'
import { killOne } from '../kill.ts'
import { podsOf, type Pod } from '../pods.ts'
import { addresses, failures, load, namespace, rolledOut, show, type Proof, type ProofContext } from '../proof.ts'

const clients = 4
const post = { url: `${addresses.counter}/`, method: 'POST', clients }
const deployment = 'deployment/counter'
const where = `--namespace=${namespace}`
/** Exit code of a service that cannot be started as it was told to. */
const configurationError = 2
const selector = 'app.kubernetes.io/name=counter'
const pods = (context: ProofContext): Promise<readonly Pod[]> => podsOf(context, selector)

/** A pod killed, an image that is not there, and a Secret that is not there, always under load. */
export const counter: Proof = {
  name: 'counter',
  async run(context) {
    const [killed, took] = await Promise.all([load(context, { ...post, seconds: 20 }), killOne(context, selector)])
    context.table.add('one of two replicas of the counter killed under load: answered, failed', show(killed))
    context.table.add('until it was ready again', took)
    // Whoever is refused a connection has sent nothing: he may ask again. In flight there is one request of each client.
    const inFlight = failures(killed) - (killed.failed['ECONNREFUSED'] ?? 0)
    context.table.add(
      'of which had been sent (the others were refused a connection, until the proxy heard of it)',
      String(inFlight),
    )
    if (inFlight > clients) throw new Error(`${inFlight} requests that had been sent were lost, by ${clients} clients`)

    const image = 'app=localhost/ballast/counter:0.0.0'
    await undone(context, 'an image that does not exist', ['set', 'image', deployment, image], async () => {
      const reasons = (await pods(context)).map((pod) => pod.status.containerStatuses?.[0]?.state?.waiting?.reason)
      return reasons.find((reason) => reason === 'ErrImagePull' || reason === 'ImagePullBackOff')
    })

    const volumes = [{ name: 'secrets', secret: { secretName: 'not-there', optional: true } }]
    const patch = JSON.stringify({ spec: { template: { spec: { volumes } } } })
    await undone(context, 'a Secret that does not exist', ['patch', deployment, '--patch', patch], async () => {
      const ended = (await pods(context)).find((pod) => exitCodeOf(pod) === configurationError)
      if (ended === undefined) return undefined
      const log = await context.kubectl.run(['logs', ended.metadata.name, where])
      const sentence = log.split('\n').find((line) => line.includes('COUNTER_STORE_FILE'))
      if (sentence === undefined) return undefined
      return `exit code ${exitCodeOf(ended)}, "${sentence.trim().slice(0, 160)}"`
    })
  },
}

/** What goes wrong under load without an answer lost, what is seen of it, and `rollout undo`. */
async function undone(
  context: ProofContext,
  what: string,
  change: readonly string[],
  see: () => Promise<string | undefined>,
): Promise<void> {
  const { kubectl, daemons, table } = context
  const wrong = async (): Promise<string> => {
    await kubectl.run([...change, where])
    try {
      return await waitFor(what, daemons, see)
    } finally {
      await kubectl.run(['rollout', 'undo', deployment, where])
      await rolledOut(context, deployment)
    }
  }
  const [loaded, seen] = await Promise.all([load(context, { ...post, seconds: 15 }), wrong()])
  table.add(`${what}, as it shows`, seen)
  table.add('meanwhile, `rollout undo` included: answered, failed', show(loaded))
  if (failures(loaded) > 0) throw new Error(`${what} took the service away: ${show(loaded)}`)
}

const exitCodeOf = ({ status }: Pod): number | undefined => {
  const [container] = status.containerStatuses ?? []
  return (container?.state?.terminated ?? container?.lastState?.terminated)?.exitCode
}

/** With a process that ends as soon as it is told to, before the proxies have heard of it, the same load must see failures. */
export const control: Proof = {
  name: 'control',
  async run(context) {
    const env = [{ name: 'COUNTER_DRAIN_DELAY_MS', value: '0s' }]
    const patch = { spec: { template: { spec: { containers: [{ name: 'app', lifecycle: null, env }] } } } }
    await context.kubectl.run(['patch', deployment, where, '--patch', JSON.stringify(patch)])
    await rolledOut(context, deployment)
    const rounds = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await delay(2_000)
        await context.kubectl.run(['rollout', 'restart', deployment, where])
        await rolledOut(context, deployment)
      }
    }
    const [lossy] = await Promise.all([load(context, { ...post, seconds: 30 }), rounds()])
    context.table.add('three roll-outs without a drain, as a control: answered, failed', show(lossy))
    await context.kubectl.run(['rollout', 'undo', deployment, where]).catch(() => undefined)
    if (failures(lossy) === 0) throw new Error('without a drain nothing was lost either: this level proves nothing')
  },
}
