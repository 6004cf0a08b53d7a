import { join } from 'node:path'
import { root } from '../../image/apps.ts'
import { waitFor } from '../daemon.ts'
import { addresses, ask, runThere, type ProofContext } from './proof.ts'

/** How many documents wait in the stream of the load-tolerant API. */
export async function pending(context: ProofContext): Promise<number> {
  const url = `${addresses['load-tolerant-api']}/api/stats`
  const stats: { pending_writes_in_stream: number } = JSON.parse(await ask(context, url))
  return stats.pending_writes_in_stream
}

export const emptied = (context: ProofContext): Promise<boolean> =>
  waitFor('an empty queue', context.daemons, async () => ((await pending(context)) === 0 ? true : undefined))

/** The app's own proof, from the stores: every acknowledged id of the file is stored, and none twice. How many, and what is wrong of them. */
export async function verify(context: ProofContext, acknowledged: string, unacknowledged: number): Promise<string> {
  const stream = `redis://:small@${addresses.redis}:6379/1`
  const documents = `mongodb://${addresses.mongo}:27017/ballast/writes?directConnection=true`
  const command = [process.execPath, join(root, 'apps/load-tolerant-api/src/main.ts'), 'verify', '--json']
  const stores = ['--stream', stream, '--documents', documents, '--acknowledged', acknowledged]
  const { PATH } = process.env
  const limits = ['--max-unacknowledged', String(unacknowledged)]
  const said = await runThere(context, [...command, ...stores, ...limits], { PATH }).catch((error: unknown) => {
    throw new Error(`verify: ${String(Reflect.get(Object(error), 'stdout') || error)}`, { cause: error })
  })
  const { stored, violationCount }: { stored: number; violationCount: number } = JSON.parse(said)
  return `${stored}, ${violationCount}`
}
