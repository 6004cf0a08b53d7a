import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { deployFolder, render } from '../../../kustomize/render.ts'
import { ask, counterValue, failures, load, rolledOut, seconds, show, type Proof, type ProofContext } from '../proof.ts'

/** Of the scenarios, which is where these proofs deploy them. */
export const scenarioNamespace = 'scenario'

/** The scenarios of EBS, word for word, on disks of this machine: what was answered is there after the pod was put elsewhere. */
export const disks: Proof = {
  name: 'disks',
  async run(context) {
    await kubectlApply(context, 'counter-ebs')
    await kubectlApply(context, 'message-store-ebs')
    await Promise.all(
      ['counter', 'message-store'].map((name) => rolledOut(context, `statefulset/${name}`, scenarioNamespace)),
    )
    await counterOnADisk(context, await addressOf(context, 'counter'))
    await messagesOnADisk(context, await addressOf(context, 'message-store'))
  },
}

async function kubectlApply({ kustomize, kubectl }: ProofContext, scenario: string): Promise<void> {
  const text = await render(kustomize, join(deployFolder, 'scenarios', scenario))
  await kubectl.apply(text.replaceAll('registry.example.com/ballast/', 'localhost/ballast/'))
}

async function addressOf({ kubectl }: ProofContext, service: string): Promise<string> {
  const args = ['get', `service/${service}`, `--namespace=${scenarioNamespace}`, '-o', 'jsonpath={.spec.clusterIP}']
  return `http://${await kubectl.run(args)}`
}

async function reschedule(context: ProofContext, name: string): Promise<string> {
  await delay(3_000)
  const begun = performance.now()
  await context.kubectl.run(['delete', 'pod', `${name}-0`, `--namespace=${scenarioNamespace}`, '--timeout=120s'])
  await rolledOut(context, `statefulset/${name}`, scenarioNamespace)
  return seconds(begun)
}

/** One pod and no surge: while it moves, requests find nobody. What was answered counts, and what was not may. */
async function counterOnADisk(context: ProofContext, url: string): Promise<void> {
  const before = await counterValue(context, url)
  const [loaded, took] = await Promise.all([
    load(context, { url: `${url}/`, method: 'POST', seconds: 25, clients: 2 }),
    reschedule(context, 'counter'),
  ])
  const added = (await counterValue(context, url)) - before
  context.table.add(
    'counter on a ReadWriteOncePod volume, its pod put elsewhere under load: answered, failed',
    show(loaded),
  )
  context.table.add('its value went up by, and it was away for', `${added}, ${took}`)
  if (added < loaded.ok || added > loaded.ok + failures(loaded)) {
    throw new Error(`${loaded.ok} additions were answered and ${failures(loaded)} were not, and ${added} are there`)
  }
}

async function messagesOnADisk(context: ProofContext, url: string): Promise<void> {
  const answer = await ask(context, `${url}/messages`, 'POST', JSON.stringify({ message: 'kept' }))
  const digest = /[0-9a-f]{64}/.exec(answer)?.[0]
  if (digest === undefined) throw new Error(`the message store answered ${answer}`)
  await reschedule(context, 'message-store')
  const kept = await ask(context, `${url}/messages/${digest}`)
  context.table.add('a message on a ReadWriteOncePod volume, after its pod was put elsewhere', kept)
  if (!kept.includes('kept')) throw new Error('the message did not outlive its pod')
}
