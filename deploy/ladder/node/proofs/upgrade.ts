import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { root } from '../../../image/apps.ts'
import { waitFor } from '../../daemon.ts'
import {
  addresses,
  ask,
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
  const { kubectl, table, daemons } = context
  const consumer = 'deployment/load-tolerant-api-consumer'
  const scale = (replicas: number): Promise<string> =>
    kubectl.run(['scale', consumer, `--replicas=${replicas}`, `--namespace=${namespace}`])
  const url = `${addresses['load-tolerant-api']}/api/data`
  const files = ['earlier', 'both'].map((name) => join(context.folder, `ids-${name}`))
  const [earlier = '', both = ''] = files
  await scale(0)
  const old = await load(context, { url, seconds: 5, collect: { key: 'writes', file: earlier } })
  const pending = async (): Promise<number> => {
    const stats: { pending_writes_in_stream: number } = JSON.parse(
      await ask(context, `${addresses['load-tolerant-api']}/api/stats`),
    )
    return stats.pending_writes_in_stream
  }
  const waiting = await pending()
  await rollUnderLoad(context, 'load-tolerant-api', ['deployment/load-tolerant-api'], {
    url,
    collect: { key: 'writes', file: both },
  })
  await roll(context, 'load-tolerant-api', [consumer])
  await scale(1)
  await rolledOut(context, consumer)
  await waitFor('an empty queue', daemons, async () => ((await pending()) === 0 ? true : undefined))
  const ids = await Promise.all(files.map((file) => readFile(file, 'utf8')))
  const acknowledged = join(context.folder, 'ids')
  await runThere(context, ['sh', '-c', `cat ${earlier} ${both} > ${acknowledged}`])
  const report = await verify(context, acknowledged, 5 * failures(old))
  const written = ids.join('').split('\n').filter(Boolean).length
  table.add('documents in the stream that the earlier version had written', String(waiting))
  table.add('ids that both versions acknowledged, stored once each, violations', `${written}, ${report}`)
}

/** The app's own proof, from the stores: every acknowledged id is stored, and none twice. */
async function verify(context: ProofContext, acknowledged: string, unknown: number): Promise<string> {
  const stream = `redis://:small@${addresses.redis}:6379/1`
  const documents = `mongodb://${addresses.mongo}:27017/ballast/writes?directConnection=true`
  const command = [process.execPath, join(root, 'apps/load-tolerant-api/src/main.ts'), 'verify', '--json']
  const stores = ['--stream', stream, '--documents', documents, '--acknowledged', acknowledged]
  const { PATH } = process.env
  const said = await runThere(context, [...command, ...stores, '--max-unacknowledged', String(unknown)], {
    PATH,
  }).catch((error: unknown) => {
    throw new Error(`verify: ${String(Reflect.get(Object(error), 'stdout') || error)}`, { cause: error })
  })
  const { stored, violationCount }: { stored: number; violationCount: number } = JSON.parse(said)
  return `${stored}, ${violationCount}`
}

async function upgradeScaler(context: ProofContext): Promise<void> {
  const list = `${addresses.scaler}/v1/rows`
  await ask(context, list, 'POST', JSON.stringify({ count: rows }))
  const offsets = (): Promise<ReadonlyMap<string, bigint>> =>
    waitFor('rows that are ticked', context.daemons, async () => {
      const page: { rows: { id: string; value: number; lastTick: string }[] } = JSON.parse(
        await ask(context, `${list}?limit=1000`),
      )
      if (page.rows.length < rows || page.rows.some(({ value }) => value === 0)) return undefined
      return new Map(page.rows.map(({ id, value, lastTick }) => [id, BigInt(value) - BigInt(lastTick)]))
    })
  const before = await offsets()
  const workloads = ['deployment/scaler-control-plane', 'statefulset/scaler-worker']
  await rollUnderLoad(context, 'scaler', workloads, { url: `${addresses.scaler}/v1/stats`, seconds: 40 })
  const after = await offsets()
  const differences = [...before].map(([id, offset]) => (after.get(id) ?? 0n) - offset)
  const doubled = differences.filter((difference) => difference > 0n).length
  const lost = differences.filter((difference) => difference < 0n).length
  context.table.add(
    `of ${before.size} rows, with a tick doubled or lost while control plane and workers were rolled out`,
    `${doubled}, ${lost}`,
  )
  await ask(context, list, 'DELETE', JSON.stringify({ count: rows }))
  if (doubled + lost > 0) throw new Error(`${doubled} rows were ticked twice, and ${lost} missed a tick`)
}
