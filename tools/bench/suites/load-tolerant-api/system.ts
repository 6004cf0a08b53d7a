import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startBackend } from '@ballast/backends'
import { startFaultProxy, type WriteCommandMeter } from '@ballast/fault-proxy'
import { Redis } from 'ioredis'
import { readJournal } from '../../../load/wrk/run-wrk.ts'
import { app, appProgram } from '../../../platform/services/app.ts'
import { benchFolder } from '../../folder.ts'
import { startServer, startServerProcess } from '../../server.ts'

export const commandsPerSecond = 100
const queueMaxBytes = String(4 * 2 ** 30)

/** As the api's README says: a log that is shorter than the queue may be is not written anew. For each Redis that is compared. */
export async function startQueueServer(stack: AsyncDisposableStack): Promise<string> {
  const { url } = stack.use(await startBackend('redis', { durability: 'process' }))
  const client = new Redis(url)
  await client.config('SET', 'auto-aof-rewrite-min-size', queueMaxBytes)
  await client.quit()
  return url
}

/** What a minute of load leaves in the queue shall be stored within five more; of a shorter load as many times as long, or a minute. */
const drainWithinMs = (loadMs: number): number => Math.max(60_000, 5 * loadMs)

export interface WholeSystem {
  readonly url: string
  readonly redisUrl: string
  /** Of the document store, past the cap. */
  readonly mongodbUrl: string
  readonly writeCommands: WriteCommandMeter
  /** Where the load keeps the ids that it was told are written. */
  readonly journal: string
  /** Waits until nothing is queued, within a bound that follows from how long the load was. Resolves with how long that took. */
  drained(loadMs: number): Promise<number>
  /** The most memory that one process of the api ever had, in MB (Linux: resident, shared pages included). */
  mostMemory(): number
  /** A load tells how many of its requests had no answer. */
  unanswered(requests: number): void
}

/**
 * Everything that a deployment has: the api in `workers` processes, Redis with `appendfsync everysec`, one consumer, and a document
 * store behind a proxy that lets 100 write commands a second through and counts them. When the stack is disposed the backlog
 * drains, and `verify` must pass: a figure of a system that lost something would be worth nothing.
 */
export async function openSystem(
  stack: AsyncDisposableStack,
  workers: number,
  progress: (line: string) => void = () => {},
): Promise<WholeSystem> {
  const folder = await benchFolder(stack)
  const redisUrl = await startQueueServer(stack)
  const mongodb = stack.use(await startBackend('mongodb', { durability: 'process' }))
  const proxy = stack.use(await startFaultProxy({ target: mongodb.url, mongo: { perSecond: commandsPerSecond } }))
  const meter = proxy.writeCommands
  if (meter === undefined) throw new TypeError('the proxy counts no commands')
  const stores = ['--stream', redisUrl, '--documents', proxy.url]
  const bounds = ['--queue-max-bytes', queueMaxBytes, '--queue-max-entries', '10000000']
  const limits = ['--commands-per-second', String(commandsPerSecond)]
  const { url, pid } = await startServerProcess(
    stack,
    app('load-tolerant-api', 'api', 0, [...stores, ...bounds, '--workers', String(workers)]),
  )
  await startServer(stack, app('load-tolerant-api', 'consumer', 0, [...stores, ...limits]))
  const journal = join(folder, 'journal')
  await writeFile(`${journal}.0`, '')
  let unanswered = 0
  // Disposed first, while all of it still runs.
  stack.defer(async () => {
    await drained(url, 0, progress)
    const ids = join(folder, 'acknowledged')
    await writeFile(ids, (await readJournal(journal)).map((id) => `${id}\n`).join(''))
    const unknown = ['--max-unacknowledged', String(unanswered * 5)]
    progress('verifies that each acknowledged id is stored once')
    await verify([...stores, '--acknowledged', ids, ...unknown])
    if (meter.worstSecond > commandsPerSecond) throw new Error(`${meter.worstSecond} write commands in one second`)
  })
  return {
    url,
    redisUrl,
    mongodbUrl: mongodb.url,
    writeCommands: meter,
    journal,
    drained: (loadMs) => drained(url, loadMs, progress),
    mostMemory: () => Math.max(...workersOf(pid).map(mostMemoryOf)),
    unanswered: (requests) => void (unanswered += requests),
  }
}

async function drained(url: string, loadMs: number, progress: (line: string) => void): Promise<number> {
  const startedMs = performance.now()
  const withinMs = drainWithinMs(loadMs)
  for (let toldMs = startedMs; ;) {
    const answer = await fetch(`${url}/readyz`)
    const body: unknown = await answer.json()
    const nowMs = performance.now()
    if (typeof body === 'object' && body !== null && 'queue' in body && isEmpty(body.queue)) return nowMs - startedMs
    if (nowMs - startedMs > withinMs)
      throw new Error(`the backlog did not drain within ${withinMs / 1000} s: ${JSON.stringify(body)}`)
    if (nowMs - toldMs > 5000) {
      progress(`drains: ${JSON.stringify(body)}`)
      toldMs = nowMs
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** With several workers the process that was started only watches over them. */
function workersOf(pid = 0): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return children === '' ? [pid] : children.split(' ').map(Number)
}

function mostMemoryOf(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1024
}

const isEmpty = (queue: unknown): boolean =>
  typeof queue === 'object' && queue !== null && 'entries' in queue && queue.entries === 0

function verify(flags: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [...appProgram('load-tolerant-api', 'verify', flags)], (error, stdout, stderr) => {
      if (error === null) resolve()
      else reject(new Error(`verify failed: ${stdout}${stderr}`))
    })
  })
}
