import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { killOne } from '../kill.ts'
import { addresses, failures, load, show, type Proof, type ProofContext } from '../proof.ts'
import { emptied, verify } from '../queue.ts'
import { ticksDuring } from '../rows.ts'

const rows = 150
/** Of those that were written before: the file names the ids of this proof only. */
const anyNumber = 1_000_000_000

/** SIGKILL for a pod of each of the other roles under load (the counter's has a proof of its own): what was answered is there, once. */
export const kills: Proof = {
  name: 'kills',
  async run(context) {
    await killMessageStore(context)
    await killLoadTolerantApi(context)
    await killWorker(context)
  },
}

async function killMessageStore(context: ProofContext): Promise<void> {
  const url = `${addresses['message-store']}/messages`
  const file = join(context.folder, 'digests-killed')
  const post = { url, method: 'POST', body: '{"message":"{unique}"}', collect: { key: 'digest', file } }
  const [written, took] = await Promise.all([
    load(context, { ...post, seconds: 15 }),
    killOne(context, 'app.kubernetes.io/name=message-store'),
  ])
  const read = await load(context, { url: `${url}/{line}`, each: file, clients: 8 })
  context.table.add('one of two replicas of the message store killed under load: answered, failed', show(written))
  context.table.add('until it was ready again; answered messages that are there', `${took}; ${read.ok}`)
  if (failures(read) > 0 || read.ok !== written.ok)
    throw new Error(`of ${written.ok} messages ${read.ok} outlived the kill: ${show(read)}`)
}

async function killLoadTolerantApi(context: ProofContext): Promise<void> {
  const file = join(context.folder, 'ids-killed')
  const kill = async (): Promise<string> => {
    const api = await killOne(context, 'app.kubernetes.io/component=api')
    return `${api}, ${await killOne(context, 'app.kubernetes.io/component=consumer')}`
  }
  const url = `${addresses['load-tolerant-api']}/api/data`
  const [asked, took] = await Promise.all([
    load(context, { url, seconds: 25, collect: { key: 'writes', file } }),
    kill(),
  ])
  await emptied(context)
  const acknowledged = (await readFile(file, 'utf8')).split('\n').filter(Boolean).length
  const report = await verify(context, file, anyNumber)
  context.table.add('an api, then the consumer, killed under load: answered, failed', show(asked))
  context.table.add('until each was ready again', took)
  context.table.add('ids acknowledged meanwhile, stored in all, violations', `${acknowledged}, ${report}`)
}

async function killWorker(context: ProofContext): Promise<void> {
  let took = ''
  const { doubled, lost } = await ticksDuring(context, rows, async () => {
    took = await killOne(context, 'app.kubernetes.io/component=worker')
  })
  context.table.add(`a worker killed that had a part of ${rows} rows: until it was ready again`, took)
  context.table.add('rows with a tick doubled, lost', `${doubled}, ${lost}`)
  if (doubled + lost > 0) throw new Error(`after a kill ${doubled} rows were ticked twice, and ${lost} missed a tick`)
}
