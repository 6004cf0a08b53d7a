import type { ConfigDefinition } from './define-config.ts'
import { flagOf, variableOf } from './names.ts'
import type { AnyOption } from './option.ts'

/** The text of `--help`. */
export function help(
  definition: ConfigDefinition,
  command: string | undefined,
  commands: readonly (readonly [name: string, summary: string])[] = [],
): string {
  const { app, prefix, summary, examples = [], operands, options } = definition
  const usage = [app, command, '[--flag value]...', operands?.usage].filter((part) => part !== undefined).join(' ')
  const rows = Object.entries(options).map(([name, option]) => row(prefix, name, option))
  const width = Math.min(38, Math.max(0, ...rows.map(({ left }) => left.length)) + 2)
  return [
    summary,
    '',
    `Usage: ${usage}`,
    ...(operands === undefined ? [] : [`       ${operands.usage}: ${operands.help}`]),
    '',
    ...(commands.length === 0 ? [] : ['Commands (--help after one shows its own flags):']),
    ...commands.map(([name, summary]) => `  ${name.padEnd(16)}${summary}`),
    ...(commands.length === 0 ? [] : ['']),
    'Flags:',
    ...rows.flatMap(({ left, right }) => columns(left, right, width)),
    ...columns('--config <file>', `JSON file with options by name (${prefix}_CONFIG)`, width),
    ...columns('--print-config', 'show every value and where it came from, then exit', width),
    ...columns('--help, -h', 'this text', width),
    ...columns('--version', 'the version', width),
    '',
    'Each flag can be a variable as well; flags win over variables, variables over the file, the file over defaults.',
    ...(examples.length === 0 ? [] : ['', 'Examples:', ...examples.map((example) => `  ${example}`)]),
    '',
  ].join('\n')
}

function row(prefix: string, name: string, option: AnyOption): { left: string; right: string[] } {
  const left = `--${flagOf(name)} ${option.placeholder}`.trim()
  const variables = [variableOf(prefix, name), ...option.env].join(', ')
  const fallback = option.required ? 'required' : defaultText(option)
  return { left, right: [option.help, `${variables}${fallback === undefined ? '' : `; ${fallback}`}`] }
}

function defaultText({ default: value, show, kind }: AnyOption): string | undefined {
  if (value === undefined || value === null || kind === 'flag')
    return kind === 'flag' && value === true ? 'default on' : undefined
  const shown = show(value)
  return shown === '' ? undefined : `default ${shown}`
}

function columns(left: string, right: string | readonly string[], width: number): string[] {
  const lines = typeof right === 'string' ? [right] : right
  const indent = ' '.repeat(width + 2)
  const [first = '', ...rest] = lines
  const head = left.length + 2 > width ? [`  ${left}`, `${indent}${first}`] : [`  ${left.padEnd(width)}${first}`]
  return [...head, ...rest.map((line) => `${indent}${line}`)]
}
