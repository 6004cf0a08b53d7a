import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../image/apps.ts'

export interface Row {
  readonly what: string
  readonly figure: string
}

const document = join(root, 'docs/deploy-proof.md')
const begin = (level: string): string => `<!-- written by npm run deploy:check -- --level ${level} --record -->`
const end = '<!-- end -->'

/** What a level was run on, as it was when it began. */
export async function surroundings(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const system = /^PRETTY_NAME="?([^"\n]+)/m.exec(release)?.[1] ?? process.platform
  const commit = await promisify(execFile)('git', ['describe', '--always', '--dirty'], { cwd: root }).catch(
    () => undefined,
  )
  const [load = 0] = loadavg()
  const day = new Date().toISOString().slice(0, 10)
  const revision = commit === undefined ? '' : `, commit ${commit.stdout.trim()}`
  return `${system}, ${cpus().length} cores, load average ${load.toFixed(1)} before it began${revision}, ${day}`
}

/** Puts the figures of a level into docs/deploy-proof.md, in place of those of its last run. */
export async function record(level: string, where: string, rows: readonly Row[]): Promise<void> {
  await writeFile(document, replaceBlock(await readFile(document, 'utf8'), level, where, rows))
}

/** Rejects where the document has no place for the level: figures are then not lost silently. */
export function replaceBlock(text: string, level: string, where: string, rows: readonly Row[]): string {
  const from = text.indexOf(begin(level))
  const to = text.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`docs/deploy-proof.md has no block "${begin(level)}" that ends with "${end}"`)
  const lines = rows.map(({ what, figure }) => `| ${cell(what)} | ${cell(figure)} |`)
  const block = [begin(level), `${where}.`, '', '| what | seen |', '|---|---|', ...lines, ''].join('\n')
  return `${text.slice(0, from)}${block}${text.slice(to)}`
}

const cell = (content: string): string => content.replaceAll('|', '\\|').replaceAll('\n', ' ')
