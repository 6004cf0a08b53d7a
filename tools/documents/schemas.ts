import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigDefinition, ProblemTable } from '@ballast/service'
import { root } from './markdown.ts'

export const apps = ['counter', 'message-store', 'scaler', 'load-tolerant-api'] as const

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const isDefinition = (value: unknown): value is ConfigDefinition =>
  isRecord(value) && typeof value['prefix'] === 'string' && isRecord(value['options'])

const isTable = (value: unknown): value is ProblemTable => isRecord(value) && isRecord(value['types'])

/** Imported by path, as nothing may depend on an app. */
async function load(path: string): Promise<Readonly<Record<string, unknown>>> {
  const module: unknown = await import(join(root, path))
  return isRecord(module) ? module : {}
}

export interface CommandSchema {
  readonly app: string
  readonly command: string
  readonly definition: ConfigDefinition
}

/** `serveConfig` is the command `serve`, `controlPlaneConfig` is `control-plane`; tables of them are looked into. */
export async function commandSchemas(): Promise<CommandSchema[]> {
  const found: CommandSchema[] = []
  for (const app of apps) {
    for (const path of globSync([`apps/${app}/src/config.ts`, `apps/${app}/src/*/config.ts`], { cwd: root })) {
      for (const [name, value] of Object.entries(await load(path))) {
        const nested = isRecord(value) && !isDefinition(value) ? Object.entries(value) : [[name, value] as const]
        for (const [key, definition] of nested) {
          if (isDefinition(definition)) found.push({ app, command: commandName(key), definition })
        }
      }
    }
  }
  // Sources are read in an order that depends on who imports them.
  const order = ({ app, command }: CommandSchema): string => `${app} ${command}`
  return found.toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
}

const commandName = (key: string): string =>
  key.replace(/Config$/, '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

export async function problemsOf(app: string): Promise<ProblemTable['types']> {
  const module = await load(`apps/${app}/src/problems.ts`)
  const { problems } = module
  return isTable(problems) ? problems.types : {}
}

export interface MetricSchema {
  readonly name: string
  readonly help: string
}

const metricPattern =
  /['"`]?\b((?:counter|message_store|scaler|load_tolerant_api|http_server)_[a-z_]+)['"`]?[,:]\s*(?:help:\s*)?\[?\s*(['"`])([^]*?[^\\])\2/g

/** From the sources: a process registers only what its settings need, so that no single one shows all of them. */
export function metricsIn(folders: readonly string[]): MetricSchema[] {
  const files = folders.flatMap((folder) => globSync(`${folder}/**/*.ts`, { cwd: root }))
  const found = new Map<string, string>()
  for (const file of files.filter((path) => !path.endsWith('.test.ts')).toSorted()) {
    const text = readFileSync(join(root, file), 'utf8')
    if (!/metrics/i.test(text)) continue
    for (const [, name = '', , help = ''] of text.matchAll(metricPattern)) found.set(name, help)
  }
  return [...found].map(([name, help]) => ({ name, help })).toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Schemes by port, from the functions that open a URL. */
export function schemesOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const found = [...text.matchAll(/(?:scheme === |url === |case )'([a-z0-9+]+):?'/g)].map(([, scheme = '']) => scheme)
  return [...new Set(found)].toSorted()
}

export const ports: Readonly<Record<string, string>> = {
  counters: 'libs/state-stores/src/counter/open.ts',
  blobs: 'libs/state-stores/src/blob/open.ts',
  queue: 'libs/state-stores/src/stream/open.ts',
  documents: 'libs/state-stores/src/document/open.ts',
  cache: 'libs/state-stores/src/cache/open.ts',
  rows: 'libs/state-stores/src/work-item/open.ts',
  registry: 'libs/state-stores/src/worker-registry/open.ts',
  leases: 'libs/locking/src/lease/open.ts',
}
