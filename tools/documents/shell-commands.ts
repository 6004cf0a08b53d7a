import { blocksOf } from './markdown.ts'

export interface ShellCommand {
  readonly line: number
  /** As written, without its comment; several physical lines are one command where a quote or a backslash joins them. */
  readonly text: string
}

/** What is said of a block that is not run: ```sh not-run. */
const notRun = 'sh not-run'

export function shellCommands(document: string): ShellCommand[] {
  return blocksOf(document)
    .filter(({ info }) => info === 'sh')
    .flatMap(({ lines, line }) => joined(lines).map((text) => ({ line, text })))
}

/** Blocks that hold commands and do not say so, or that say something else than `sh` and `sh not-run`. */
export function unlabelledBlocks(document: string): number[] {
  const looks = /^(?:[A-Z_]+=\S+ )*(?:npm|curl|node|docker|kubectl|eksctl|export|git) /
  return blocksOf(document)
    .filter(({ info, lines }) => info !== 'sh' && info !== notRun && lines.some((line) => looks.test(line)))
    .map(({ line }) => line)
}

/** Blocks marked as not run without a reason as the first line, a comment. */
export function unreasonedBlocks(document: string): number[] {
  return blocksOf(document)
    .filter(({ info, lines }) => info === notRun && !/^# .{10}/.test(lines[0] ?? ''))
    .map(({ line }) => line)
}

function joined(lines: readonly string[]): string[] {
  const commands: string[] = []
  let open = ''
  for (const line of lines) {
    // First, as a comment may have an apostrophe.
    const uncommented = line.replace(/(?:^|\s+)# .*$/, '')
    const text = open === '' ? uncommented : `${open}\n${uncommented}`
    const inQuotes = (text.match(/'/g) ?? []).length % 2 === 1
    if (inQuotes || text.endsWith('\\')) open = text
    else {
      open = ''
      if (text.trim() !== '') commands.push(text.trim())
    }
  }
  return open === '' ? commands : [...commands, open]
}

/** A command for the shell, or a program of ours that many share one process for, as most of its time is its start. */
export type Runnable =
  | { readonly kind: 'shell'; readonly shell: string; readonly mayTimeOut: boolean }
  | { readonly kind: 'export'; readonly env: Readonly<Record<string, string>> }
  | ({ readonly kind: 'node' } & NodeProgram)

export interface NodeProgram {
  /** Relative to the root. */
  readonly main: string
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

const apps = new Set(['counter', 'message-store', 'scaler', 'load-tolerant-api'])
/** Long programs, which have a --help that reads the other flags first. */
const programs: Readonly<Record<string, string>> = {
  start: 'tools/launcher/main.ts',
  tour: 'tools/tour/main.ts',
  bench: 'tools/bench/main.ts',
  backends: 'tools/backends/src/main.ts',
  proof: 'tools/proof/main.ts',
  docs: 'tools/documents/main.ts',
}

/**
 * What is run for a command: curl as it stands, on the platform that the tests started; a service or one of its commands with
 * --print-config, which reads every flag and variable; tour, bench and so on with --help. Undefined: nothing can be run, and
 * the script of package.json is looked for instead.
 */
export function runnable(text: string, portBase: number): Runnable | undefined {
  const here = text.replaceAll(/(127\.0\.0\.1|localhost):400(\d)/g, (_, host: string, digit: string) => {
    return `${host}:${portBase + Number(digit)}`
  })
  if (here.startsWith('curl ')) {
    const mayTimeOut = /\s-N\b/.test(here)
    const limit = mayTimeOut ? '--max-time 1' : '--max-time 20 --fail-with-body'
    return { kind: 'shell', mayTimeOut, shell: here.replaceAll(/\bcurl /g, `curl -sS ${limit} `) }
  }
  if (here.startsWith('echo ')) return { kind: 'shell', mayTimeOut: false, shell: here }
  if (here.startsWith('export ')) return { kind: 'export', env: variablesOf(wordsOf(here).slice(1)) }
  const words = wordsOf(here.replace(/ (?:\d?>|[|]) .*$/, ''))
  const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word))
  const env = variablesOf(words.slice(0, first))
  const [program = '', ...rest] = words.slice(first)
  if (program === 'node' || program === 'bash') return { kind: 'shell', mayTimeOut: false, shell: `test -f ${rest[0]}` }
  if (program !== 'npm') return undefined
  const script = scriptOf(rest) ?? ''
  const args = rest.includes('--') ? rest.slice(rest.indexOf('--') + 1) : []
  const asks = args.includes('--help')
  if (apps.has(script)) {
    const main = `apps/${script}/src/main.ts`
    return { kind: 'node', main, argv: asks ? args : [...args, '--print-config'], env }
  }
  const main = programs[script]
  return main === undefined ? undefined : { kind: 'node', main, argv: asks ? args : [...args, '--help'], env }
}

/** The script of package.json that `npm ...` starts. */
export function scriptOf(words: readonly string[]): string | undefined {
  return words.find((word) => word !== 'npm' && word !== 'run' && !word.startsWith('-'))
}

export const wordsOf = (text: string): string[] =>
  (text.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'))

function variablesOf(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(words.map((word) => [word.slice(0, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]))
}
