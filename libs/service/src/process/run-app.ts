import { readFileSync } from 'node:fs'
import { ConfigError } from '../config/config-error.ts'
import { help } from '../config/help.ts'
import { nearest } from '../config/names.ts'
import { printConfig } from '../config/print-config.ts'
import { readFlags } from '../config/read-flags.ts'
import type { Command } from './command.ts'
import { completionScript } from './completion.ts'
import { runCommand } from './run-command.ts'
import { sentence } from './sentence.ts'

export interface AppDefinition {
  readonly name: string
  readonly version: string
  readonly commands: Readonly<Record<string, Command>>
  /** What runs when the first word is no command. */
  readonly defaultCommand: string
}

/** Runs the command that the process was started with. Exit codes: 0 done, 1 failed or not stopped in time, 2 wrong use or cannot start. */
export async function runApp(app: AppDefinition): Promise<void> {
  try {
    await run(app, process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${app.name}: ${sentence(error)}\n`)
    process.exitCode = error instanceof ConfigError ? 2 : 1
  }
}

async function run(app: AppDefinition, argv: readonly string[]): Promise<void> {
  const { name, version, commands } = app
  const [first] = argv
  const named = first !== undefined && /^[a-z]/.test(first) ? first : undefined
  if (named === 'completion') return print(completionScript(name, commands, app.defaultCommand))
  const command = commands[named ?? app.defaultCommand]
  if (command === undefined) {
    const suggestion = nearest(named ?? '', Object.keys(commands))
    const hint =
      suggestion === undefined ? `; commands: ${Object.keys(commands).join(', ')}` : `; did you mean ${suggestion}?`
    throw new ConfigError(`${named} is not a command${hint}`)
  }
  const { definition } = command
  const flags = readFlags(definition.options, named === undefined ? argv : argv.slice(1))
  if (flags.version) return print(`${name} ${version}\n`)
  if (flags.help) {
    const others = Object.entries(commands).map(([word, { definition }]) => [word, definition.summary] as const)
    const list =
      named === undefined && others.length > 1
        ? [...others, ['completion', 'prints a script: source <(... completion)'] as const]
        : []
    return print(help(definition, named, list))
  }
  const { min = 0, max = 0 } = definition.operands ?? {}
  if (flags.operands.length > max)
    throw new ConfigError(`unexpected ${JSON.stringify(flags.operands[max])}; see --help`)
  if (flags.operands.length < min) throw new ConfigError(`${definition.operands?.usage} is missing; see --help`)
  const siblings = Object.values(commands).map(({ definition }) => definition.options)
  const prepared = command.prepare(flags, { env: process.env, readFile, siblings })
  if (flags.printConfig) return print(printConfig(definition.options, prepared.loaded))
  return runCommand({
    name,
    version,
    kind: command.kind,
    prefix: definition.prefix,
    operands: flags.operands,
    prepared,
  })
}

const readFile = (path: string): string => readFileSync(path, 'utf8')

function print(text: string): void {
  process.stdout.write(text)
}
