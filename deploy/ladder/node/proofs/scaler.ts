import { waitFor } from '../../daemon.ts'
import { addresses, ask, namespace, rolledOut, seconds, type Proof, type ProofContext } from '../proof.ts'

const url = addresses.scaler

interface Stats {
  readonly ticks: {
    readonly audits: number
    readonly rows: number
    readonly doubledTicks: string
    readonly lostTicks: string
  }
}

/** Workers by rows through the scale subresource, one leader by a Lease, and another one when that is gone. */
export const scaler: Proof = { name: 'scaler', run: prove }

async function prove(context: ProofContext): Promise<void> {
  const { kubectl, daemons, table } = context
  await rolledOut(context, 'deployment/scaler-control-plane')
  await rolledOut(context, 'statefulset/scaler-worker')
  const workers = async (): Promise<number> => {
    const args = ['get', 'statefulset/scaler-worker', `--namespace=${namespace}`, '-o', 'jsonpath={.spec.replicas}']
    return Number(await kubectl.run(args))
  }
  const few = await workers()
  const begun = performance.now()
  await ask(context, `${url}/v1/rows`, 'POST', JSON.stringify({ count: 350 }))
  await waitFor('more workers', daemons, async () => ((await workers()) >= 4 ? true : undefined))
  await rolledOut(context, 'statefulset/scaler-worker')
  table.add(`workers before and after 350 rows came, of which one has 100`, `${few}, ${await workers()}`)
  table.add('until all of them were ready', seconds(begun))

  const holder = async (): Promise<string> => {
    const args = ['get', 'lease/ballast-scaler', `--namespace=${namespace}`, '-o', 'jsonpath={.spec.holderIdentity}']
    return kubectl.run(args)
  }
  const first = await holder()
  const pods = ['get', 'pods', '--selector=app.kubernetes.io/component=control-plane', `--namespace=${namespace}`]
  const names = (await kubectl.run([...pods, '-o', 'jsonpath={.items[*].metadata.name}'])).trim().split(' ')
  const leader = names.find((name) => first.includes(name))
  if (leader === undefined)
    throw new Error(`the Lease is held by ${first}, and the control planes are ${names.join(', ')}`)
  const failing = performance.now()
  await kubectl.run(['delete', 'pod', leader, `--namespace=${namespace}`, '--grace-period=0', '--force'])
  await waitFor('another leader', daemons, async () => {
    const now = await holder()
    return now !== '' && now !== first ? true : undefined
  })
  table.add('the leader killed, until another control plane held the Lease', seconds(failing))
  await rolledOut(context, 'deployment/scaler-control-plane')
  // An audit compares two moments; those of the new leader are the ones that saw the change.
  const { ticks } = await waitFor('an audit of the new leader', daemons, async () => {
    const stats: Stats = JSON.parse(await ask(context, `${url}/v1/stats`))
    return stats.ticks.audits > 1 && stats.ticks.rows >= 350 ? stats : undefined
  })
  table.add(
    'rows that were audited after that, ticks doubled, lost',
    `${ticks.rows}, ${ticks.doubledTicks}, ${ticks.lostTicks}`,
  )
  if (ticks.doubledTicks !== '0' || ticks.lostTicks !== '0') throw new Error('ticks were doubled or lost')
}
