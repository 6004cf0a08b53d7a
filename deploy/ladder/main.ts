import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findKustomize } from '../kustomize/find-kustomize.ts'
import { buildBinaries } from './binaries.ts'
import { haveKubectl } from './find-kubectl.ts'
import type { Level } from './level.ts'
import { kwok } from './levels/kwok.ts'
import { node } from './levels/node.ts'
import { renderLevel } from './levels/render.ts'
import { server } from './levels/server.ts'
import { record, surroundings, type Row } from './record.ts'
import { Resources } from './resources.ts'

/** From cheap to real. Each level stands alone; run them in this order. */
const levels: Readonly<Record<string, Level>> = { render: renderLevel, server, kwok, node }

const say = (line: string): void => void process.stdout.write(`${line}\n`)
const complain = (line: string): void => void process.stderr.write(`deploy:check: ${line}\n`)

const resources = new Resources()
let interrupted = false
/** Of the logs, and of all that the level keeps; removed at the end unless somebody wants to look. */
let folder: string | undefined
const removeFolder = (path: string): Promise<void> => rm(path, { recursive: true, force: true })

const usage = `Usage: npm run deploy:check -- --level render|server|kwok|node [flags]

  --record          write the figures into docs/deploy-proof.md, if the level passes
  --only NAMES      of level node: only these proofs, separated by commas
  --from REVISION   of level node: roll from the images of this revision (default: the one before the last change of apps or libs)
  --keep            keep the logs, and say where they are
`

async function check(): Promise<void> {
  const { values } = parseArgs({
    options: {
      level: { type: 'string', default: 'render' },
      record: { type: 'boolean' },
      only: { type: 'string' },
      from: { type: 'string' },
      keep: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) return say(usage)
  const level = levels[values.level]
  if (level === undefined) throw new Error(`--level is one of ${Object.keys(levels).join(', ')}, not ${values.level}`)
  if (values.level !== 'node' && (values.only ?? values.from) !== undefined)
    throw new Error('--only and --from are for --level node')
  if (values.record && values.only !== undefined) throw new Error('--record wants all figures: leave out --only')
  if (values.level !== 'render' && process.platform !== 'linux') throw new Error('this level needs Linux')
  if (values.level === 'node' && process.getuid?.() !== 0) {
    throw new Error('this level needs root: it starts a kubelet and containers in a network namespace of their own')
  }
  if (values.level !== 'render') await haveKubectl(say)
  const kustomize = await findKustomize(true)
  if (kustomize === undefined)
    throw new Error('there is no kustomize 5, no kubectl with it, and no Go to build it with')
  const binaries = values.level === 'render' ? '' : await buildBinaries(say)
  const where = await surroundings()
  folder = await mkdtemp(join(tmpdir(), 'ballast-cluster-'))
  const started = performance.now()
  const rows: Row[] = []
  const table = {
    add(what: string, figure: string): void {
      if (interrupted) return
      rows.push({ what, figure })
      say(`${what.padEnd(76)} ${figure}`)
    },
  }
  try {
    const { only, from } = values
    await level({
      folder,
      binaries,
      kustomize,
      table,
      resources,
      ...(only !== undefined && { only: only.split(',').map((name) => name.trim()) }),
      ...(from !== undefined && { from }),
    })
    await resources.end()
  } catch (error) {
    await resources.end().catch(() => undefined)
    throw new Error(`${error instanceof Error ? error.message : String(error)} (logs: ${folder})`, { cause: error })
  }
  if (values.keep) say(`logs: ${folder}`)
  else await removeFolder(folder)
  table.add('the whole level', `${((performance.now() - started) / 1000).toFixed(0)} s`)
  if (values.record) await record(values.level, where, rows)
  say(`level ${values.level} passed`)
}

/** What was started is taken away before this process goes; who asks twice does not want to wait for that. */
async function interrupt(signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  const code = 128 + constants.signals[signal]
  if (interrupted) process.exit(code)
  interrupted = true
  complain(`${signal}: what was started is taken away (once more: it is left as it is)`)
  const removed = resources.end().then(() => (folder === undefined ? undefined : removeFolder(folder)))
  await removed.catch((error: unknown) => complain(`left behind in ${folder}: ${String(error)}`))
  process.exit(code)
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void interrupt(signal))

await check().catch((error: unknown) => {
  // A level from under which everything was taken away fails, and that is no news.
  if (interrupted) return
  complain(error instanceof Error ? error.message : String(error))
  // Whatever a level had started ends with it.
  process.exit(1)
})
