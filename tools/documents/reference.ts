import { serviceOptions, serviceProblems } from '@ballast/service'
import { apps, commandSchemas, metricsIn, problemsOf, type CommandSchema, type MetricSchema } from './schemas.ts'

type Option = CommandSchema['definition']['options'][string]

/** What every program understands, with `<APP>` for its prefix. */
const shared: Readonly<Record<string, Option>> = serviceOptions({ listen: '127.0.0.1:<port>' })

export const flagOf = (name: string): string => `--${name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()}`

export const variableOf = (prefix: string, name: string): string =>
  `${prefix}_${flagOf(name).slice(2).replaceAll('-', '_').toUpperCase()}`

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

/** The files of docs/ that are read off the code, by name. */
export async function references(): Promise<Readonly<Record<string, string>>> {
  return { 'settings.md': await settings(), 'errors.md': await errors(), 'metrics.md': metrics() }
}

const generated = 'Written by `npm run docs` from the code, and compared with it by a test.'

async function settings(): Promise<string> {
  const schemas = await commandSchemas()
  const sections = apps.map((app) => {
    const commands = schemas.filter((schema) => schema.app === app)
    return [`## ${app}`, '', ...commands.flatMap(commandSection)].join('\n')
  })
  return `# Settings

Every flag and every variable of every command. ${generated} \`--print-config\` says what holds for
one process and where each value came from; secrets are not shown. Beside the commands below every app has \`doctor\`, which takes the settings of
its service and says what would keep it from starting, and \`completion\`, which prints a script for bash and zsh.

Flags win over variables, variables over the JSON file of \`--config\` (\`<APP>_CONFIG\`), that over the default. A variable of text may be
given as a file instead: \`<VARIABLE>_FILE\`. A variable with an app's prefix that no option reads ends the start with exit code 2.

## Every service

The listener's port differs: counter 4001, message-store 4002, scaler 4003, load-tolerant-api 4004; a worker and a consumer take a free one.

${optionTable(Object.entries(shared), '<APP>')}

${sections.join('\n')}`
}

function commandSection({ app, command, definition }: CommandSchema): string[] {
  const { prefix, options, summary } = definition
  const own = Object.entries(options).filter(([name, option]) => !isShared(name, option))
  const isService = 'listen' in options
  const also = isService ? [' Takes those of every service as well.'] : []
  return [
    `### ${app} ${command}`,
    '',
    `${cell(summary.replace(/\.$/, ''))}.${also.join('')}`,
    '',
    optionTable(own, prefix),
    '',
  ]
}

/** The same here as everywhere; the port that is listened on is told above the table. */
function isShared(name: string, { help, default: value }: Option): boolean {
  const other = shared[name]
  return other?.help === help && (other.default === value || name === 'listen')
}

function optionTable(entries: readonly (readonly [string, Option])[], prefix: string): string {
  const rows = entries.map(([name, option]) => {
    const variables = [variableOf(prefix, name), ...option.env].map(code).join(', ')
    const left = code(`${flagOf(name)} ${option.placeholder}`.trim())
    return `| ${left} | ${variables} | ${fallbackOf(option)} | ${cell(option.help)} |`
  })
  return ['| flag | variable | default | |', '|---|---|---|---|', ...rows].join('\n')
}

function fallbackOf({ required, default: value, show, kind }: Option): string {
  if (required) return 'required'
  if (value === undefined || value === null || value === '') return ''
  if (kind === 'flag') return value === true ? 'on' : ''
  const shown = show(value)
  return shown === '' ? '' : code(shown)
}

function problemTable(types: Readonly<Record<string, { status: number; title: string }>>): string {
  const byStatus = Object.entries(types).toSorted(([, one], [, other]) => one.status - other.status)
  const rows = byStatus.map(([name, { status, title }]) => `| \`${name}\` | ${status} | ${cell(title)} |`)
  return ['| code | status | title |', '|---|---|---|', ...rows].join('\n')
}

const rateLimited = { status: 429, title: 'where `--rate-limit-per-second` is set: this client sends too much' }

async function errors(): Promise<string> {
  const own: string[] = []
  for (const app of apps) own.push(`## ${app}\n\n${problemTable(await problemsOf(app))}\n`)
  return `# Errors

Every \`code\` of a problem (RFC 9457). ${generated} The code is what a program should switch on:
title and detail are for people. What to do about each stands in the README of its service.

## Every service

${problemTable({ ...serviceProblems.types, 'rate-limited': rateLimited })}

${own.join('\n')}`
}

/** Those of processes that share a listener come from libs/service, named after the app. */
export const workerMetrics = (app: string): string[] => {
  const prefix = app.replaceAll('-', '_')
  return [`${prefix}_workers`, `${prefix}_worker_restarts_total`]
}

function metricTable(found: readonly MetricSchema[]): string {
  return ['| metric | |', '|---|---|', ...found.map(({ name, help }) => `| \`${name}\` | ${cell(help)} |`)].join('\n')
}

function metrics(): string {
  const own = apps.map((app) => `## ${app}\n\n${metricTable(metricsIn([`apps/${app}/src`]))}\n`)
  return `# Metrics

Every name on \`/metrics\`, but those that Node's client library adds about the process (\`process_...\`, \`nodejs_...\`). ${generated}
Durations are in seconds, sizes in bytes, counters end in \`_total\`. A process shows those that its settings and its role need.

## Every service

${metricTable(metricsIn(['libs/service/src', 'libs/metrics/src']))}

With \`--workers\` there are \`<app>_workers\` (by state) and \`<app>_worker_restarts_total\` too, as in \`counter_workers\`.

${own.join('\n')}`
}
