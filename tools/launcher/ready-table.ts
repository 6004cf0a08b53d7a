import type { ConsoleServer } from './console/console-server.ts'
import type { Platform } from '../platform/platform.ts'
import type { ServiceDefinition } from '../platform/service.ts'
import type { SupervisedProcess } from '../platform/supervised-process.ts'

export interface ReadyTableOptions {
  readonly platform: Platform
  readonly services: readonly ServiceDefinition[]
  readonly dataDir: string
  readonly tookMs: number
  readonly overview: Pick<ConsoleServer, 'url' | 'address' | 'token'>
}

/** What a person reads first: where everything is. */
export function readyTable({ platform, services, dataDir, tookMs, overview }: ReadyTableOptions): string {
  const rows = table(['console', ...services.map(({ name }) => name)], (name) => {
    if (name === 'console') return overview.address
    const helpers = platform.processesOf(name).filter((process) => process.url !== platform.url(name))
    const beside = helpers.length > 0 ? `   with ${helpers.map((process) => process.name).join(', ')}` : ''
    return `${platform.url(name)}${beside}`
  })
  return [
    `Ballast is ready after ${(tookMs / 1000).toFixed(1)} s.`,
    '',
    ...rows,
    '',
    `  Data: ${dataDir}   Stop: Ctrl-C`,
    '',
  ].join('\n')
}

/** The same after a process has died or come back: what each service is up to, and how often it had to be restarted. */
export function statusTable({ platform, services }: Pick<ReadyTableOptions, 'platform' | 'services'>): string {
  const rows = table(
    services.map(({ name }) => name),
    (name) => {
      const processes = platform.processesOf(name)
      const changed = processes.filter(({ state, restarts }) => state !== 'ready' || restarts > 0)
      return changed.length === 0 ? 'ready' : changed.map(describe).join(', ')
    },
  )
  return ['', ...rows, ''].join('\n')
}

function describe({ name, state, restarts }: Pick<SupervisedProcess, 'name' | 'state' | 'restarts'>): string {
  const what = state === 'waiting' ? 'waiting to be restarted' : state
  return `${name} ${what} (${restarts} ${restarts === 1 ? 'restart' : 'restarts'})`
}

function table(names: readonly string[], cell: (name: string) => string): string[] {
  const width = Math.max(...names.map((name) => name.length))
  return names.map((name) => `  ${name.padEnd(width)}   ${cell(name)}`)
}

/** The first line, while everything else is still on its way. */
export const consoleLine = (address: string): string => `Console: ${address}`

/** The same for programs: exactly one line. */
export function readyLine({
  platform,
  services,
  overview,
}: Pick<ReadyTableOptions, 'platform' | 'services' | 'overview'>): string {
  const urls = services.map(({ name }) => [name, { url: platform.url(name) }])
  const { url, token } = overview
  return JSON.stringify({ ready: true, console: { url, token }, services: Object.fromEntries(urls) })
}
