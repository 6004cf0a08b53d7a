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

/** From cheap to real. Each level stands alone; run them in this order. */
const levels: Readonly<Record<string, Level>> = { render: renderLevel, server, kwok, node }

const say = (line: string): void => void process.stdout.write(`${line}\n`)

async function check(): Promise<void> {
  const { values } = parseArgs({ options: { level: { type: 'string', default: 'render' }, keep: { type: 'boolean' } } })
  const level = levels[values.level]
  if (level === undefined) throw new Error(`--level is one of ${Object.keys(levels).join(', ')}, not ${values.level}`)
  const kustomize = await findKustomize(true)
  if (kustomize === undefined)
    throw new Error('there is no kustomize 5, no kubectl with it, and no Go to build it with')
  if (values.level !== 'render' && process.platform !== 'linux') throw new Error('this level needs Linux')
  if (values.level === 'node' && process.getuid?.() !== 0) {
    throw new Error('this level needs root: it starts a kubelet and containers in a network namespace of their own')
  }
  const binaries = values.level === 'render' ? '' : await buildBinaries(say)
  const folder = await mkdtemp(join(tmpdir(), 'ballast-cluster-'))
  const started = performance.now()
  const table = { add: (what: string, figure: string) => say(`${what.padEnd(76)} ${figure}`) }
  try {
    await level({ folder, binaries, kustomize, table })
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : String(error)} (logs: ${folder})`, { cause: error })
  }
  if (!values.keep) await rm(folder, { recursive: true, force: true })
  say(`level ${values.level} passed in ${((performance.now() - started) / 1000).toFixed(0)} s`)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

await check().catch((error: unknown) => {
  process.stderr.write(`deploy:check: ${error instanceof Error ? error.message : String(error)}\n`)
  // Whatever a level had started ends with it.
  process.exit(1)
})
