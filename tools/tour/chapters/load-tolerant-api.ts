import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openDocumentStore } from '@ballast/state-stores/document'
import { openStream } from '@ballast/state-stores/stream'
import { generateLoad } from '../../load/generate-load.ts'
import { failures } from '../../load/options.ts'
import { isObject } from '../../platform/log-record.ts'
import { appProgram } from '../../platform/services/app.ts'
import { loadTolerantApiStores } from '../../platform/services/load-tolerant-api.ts'
import type { Chapter, ChapterContext } from '../chapter.ts'
import type { WriteCommands } from '../real-stores.ts'
import { count } from '../report.ts'
import { runTask } from '../run-task.ts'
import { mostInWindow } from '../sliding-window.ts'

const clients = 1_000
const seconds = 10
const commandsPerSecond = 100
const drainTimeoutMs = 120_000

/** Five documents a request, far more than the store may be asked for: the queue takes the difference. */
export const loadTolerantApi: Chapter = {
  name: 'load-tolerant-api',
  title: `${count(clients)} clients for ${seconds} s in front of a store that takes ${commandsPerSecond} commands a second`,

  async run({ platform, dataDir, folder, check, progress, writeCommands }) {
    const url = platform.url('load-tolerant-api')
    const env = platform.environment('load-tolerant-api')
    const stores = loadTolerantApiStores({ dataDir, env })
    const acknowledged = join(folder, 'acknowledged.txt')
    progress(`  ${clients} connections send GET /api/data for ${seconds} s`)
    const load = await generateLoad({
      url,
      connections: clients,
      durationMs: seconds * 1000,
      request: { method: 'GET', path: '/api/data', headers: { accept: 'application/json' } },
      collect: { key: 'writes', file: acknowledged },
    })
    const failed = failures(load)
    const { p95, p99 } = load.latencyMs
    check(
      'every client is answered',
      failed === 0 && load.requests > 0,
      `${count(load.perSecond)} requests/s, p95 ${count(p95)} ms, p99 ${count(p99)} ms, ${failed} failed`,
    )

    const drain = await drained(stores.stream, progress)
    check('the backlog drains', drain.left === 0, `${count(drain.left)} documents left after ${drain.seconds} s`)

    const report = await verify(stores, env, acknowledged, failed)
    check(
      'every acknowledged id is stored exactly once',
      report.ok && report.stored === load.collected,
      `${count(report.stored)} of ${count(load.collected)} ids stored, ${report.dead} dead, ${report.violations}`,
    )

    const commands = writeCommands?.() ?? (await ownAccount(stores.documents))
    check(
      `the store gets at most ${commandsPerSecond} write commands in any second`,
      commands.count > 0 && commands.worstSecond <= commandsPerSecond,
      `worst sliding second ${commands.worstSecond}, ${count(load.collected / commands.count)} documents a command`,
    )
  },
}

async function ownAccount(url: string): Promise<WriteCommands> {
  await using documents = await openDocumentStore(url)
  const times = (await documents.commandTimes?.()) ?? []
  return { count: times.length, worstSecond: mostInWindow(times, 1000) }
}

/** Asks the queue itself: GET /api/stats counts the documents, too, and a server may need seconds for that. */
async function drained(url: string, progress: ChapterContext['progress']): Promise<{ left: number; seconds: number }> {
  await using stream = await openStream(url)
  const startedMs = performance.now()
  for (;;) {
    const { documents: left } = await stream.backlog()
    const waitedMs = performance.now() - startedMs
    if (left === 0 || waitedMs > drainTimeoutMs) return { left, seconds: Math.ceil(waitedMs / 1000) }
    progress(`  ${count(left)} documents queued`)
    await delay(200)
  }
}

interface Verified {
  readonly ok: boolean
  readonly stored: number
  readonly dead: number
  readonly violations: string
}

/** The service's own proof, run from the stores by a process of its own. */
async function verify(
  stores: ReturnType<typeof loadTolerantApiStores>,
  env: Readonly<Record<string, string | undefined>>,
  file: string,
  unknown: number,
): Promise<Verified> {
  const flags = ['--stream', stores.stream, '--documents', stores.documents, '--acknowledged', file, '--json']
  // Five documents each may be there of requests whose answer did not arrive.
  const args = [...appProgram('load-tolerant-api', 'verify', flags), '--max-unacknowledged', String(5 * unknown)]
  const { stdout, stderr } = await runTask(args, env)
  if (stdout === '') throw new Error(`verify said nothing but: ${stderr}`)
  const report: unknown = JSON.parse(stdout)
  if (!isObject(report)) throw new Error(`verify printed ${stdout}`)
  const violations = Array.isArray(report['violations']) ? report['violations'].map(String) : []
  return {
    ok: report['ok'] === true,
    stored: Number(report['stored']),
    dead: Number(report['dead']),
    violations: violations[0] ?? '0 violations',
  }
}
