import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { findKustomize } from '../kustomize/find-kustomize.ts'
import { buildBinaries } from './binaries.ts'
import type { Level } from './level.ts'
import { kwok } from './levels/kwok.ts'
import { node } from './levels/node.ts'
import { renderLevel } from './levels/render.ts'
import { server } from './levels/server.ts'
import { record, surroundings, type Row } from './record.ts'

/** From cheap to real. Each level stands alone; run them in this order. */
const levels: Readonly<Record<string, Level>> = { render: renderLevel, server, kwok, node }

const say = (line: string): void => void process.stdout.write(`${line}\n`)

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
  const kustomize = await findKustomize(true)
  if (kustomize === undefined)
    throw new Error('there is no kustomize 5, no kubectl with it, and no Go to build it with')
  if (values.level !== 'render' && process.platform !== 'linux') throw new Error('this level needs Linux')
  if (values.level === 'node' && process.getuid?.() !== 0) {
    throw new Error('this level needs root: it starts a kubelet and containers in a network namespace of their own')
  }
  const binaries = values.level === 'render' ? '' : await buildBinaries(say)
  const where = await surroundings()
  const folder = await mkdtemp(join(tmpdir(), 'ballast-cluster-'))
  const started = performance.now()
  const rows: Row[] = []
  const table = {
    add(what: string, figure: string): void {
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
      ...(only !== undefined && { only: only.split(',').map((name) => name.trim()) }),
      ...(from !== undefined && { from }),
    })
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)} (logs: ${folder})`, { cause: error })
  }
  if (values.keep) say(`logs: ${folder}`)
  else await rm(folder, { recursive: true, force: true })
  table.add('the whole level', `${((performance.now() - started) / 1000).toFixed(0)} s`)
  if (values.record) await record(values.level, where, rows)
  say(`level ${values.level} passed`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

await check().catch((error: unknown) => {
  process.stderr.write(`deploy:check: ${error instanceof Error ? error.message : String(error)}\n`)
  // Whatever a level had started ends with it.
  process.exit(1)
})
