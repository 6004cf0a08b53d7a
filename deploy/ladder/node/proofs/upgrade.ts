import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  addresses,
  counterValue,
  failures,
  load,
  namespace,
  rolledOut,
  runThere,
  show,
  type Proof,
  type ProofContext,
} from '../proof.ts'
import { emptied, pending, verify } from '../queue.ts'
import { ticksDuring } from '../rows.ts'
import { roll, rollUnderLoad } from './roll.ts'

const rows = 150

/** Each app from the images of an earlier revision to the current ones, under load; then what the earlier ones wrote is read. */
export const upgrade: Proof = {
  name: 'upgrade',
  async run(context) {
    const apps = [upgradeCounter, upgradeMessageStore, upgradeLoadTolerantApi, upgradeScaler]
    const lost: string[] = []
    for (const app of apps) {
      await app(context).catch((error: unknown) => lost.push(error instanceof Error ? error.message : String(error)))
    }
    if (lost.length > 0) throw new Error(lost.join('; '))
  },
}

async function upgradeCounter(context: ProofContext): Promise<void> {
  const url = `${addresses.counter}/`
  const before = await counterValue(context)
  const { ok } = await rollUnderLoad(context, 'counter', ['deployment/counter'], { url, method: 'POST' })
  const added = (await counterValue(context)) - before
  context.table.add('its value went up by', String(added))
  if (added !== ok) throw new Error(`${ok} additions were answered, and ${added} are there`)
}

async function upgradeMessageStore(context: ProofContext): Promise<void> {
  const url = `${addresses['message-store']}/messages`
  const file = join(context.folder, 'digests')
  const post = { url, method: 'POST', body: '{"message":"{unique}"}', collect: { key: 'digest', file } }
  const { ok } = await rollUnderLoad(context, 'message-store', ['deployment/message-store'], post)
  const read = await load(context, { url: `${url}/{line}`, each: file, clients: 8 })
  context.table.add('messages of both versions read afterwards, of how many', `${read.ok}, ${ok}`)
  if (failures(read) > 0 || read.ok !== ok) throw new Error(`of ${ok} messages ${read.ok} could be read: ${show(read)}`)
}

/** With the consumer away, entries of the earlier version wait in the stream until one of the current version reads them. */
async function upgradeLoadTolerantApi(context: ProofContext): Promise<void> {
  const { kubectl, table } = context
  const consumer = 'deployment/load-tolerant-api-consumer'
  const scale = (replicas: number): Promise<string> =>
    kubectl.run(['scale', consumer, `--replicas=${replicas}`, `--namespace=${namespace}`])
  const url = `${addresses['load-tolerant-api']}/api/data`
  const files = ['earlier', 'both'].map((name) => join(context.folder, `ids-${name}`))
  const [earlier = '', both = ''] = files
  await scale(0)
  const old = await load(context, { url, seconds: 5, collect: { key: 'writes', file: earlier } })
  const waiting = await pending(context)
  await rollUnderLoad(context, 'load-tolerant-api', ['deployment/load-tolerant-api'], {
    url,
    collect: { key: 'writes', file: both },
  })
  await roll(context, 'load-tolerant-api', [consumer])
  await scale(1)
  await rolledOut(context, consumer)
  await emptied(context)
  const ids = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  const acknowledged = join(context.folder, 'ids')
  await runThere(context, ['sh', '-c', `cat ${earlier} ${both} > ${acknowledged}`])
  const report = await verify(context, acknowledged, 5 * failures(old))
  const written = ids.join('').split('\n').filter(Boolean).length
  table.add('documents in the stream that the earlier version had written', String(waiting))
  table.add('ids that both versions acknowledged, stored once each, violations', `${written}, ${report}`)
}

async function upgradeScaler(context: ProofContext): Promise<void> {
  const workloads = ['deployment/scaler-control-plane', 'statefulset/scaler-worker']
  const request = { url: `${addresses.scaler}/v1/stats`, seconds: 40 }
  const { doubled, lost } = await ticksDuring(context, rows, () => rollUnderLoad(context, 'scaler', workloads, request))
  context.table.add(
    `of ${rows} rows, with a tick doubled or lost while control plane and workers were rolled out`,
    `${doubled}, ${lost}`,
  )
  if (doubled + lost > 0) throw new Error(`${doubled} rows were ticked twice, and ${lost} missed a tick`)
}
