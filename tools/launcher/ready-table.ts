import type { Platform } from '../platform/platform.ts'
import type { ServiceDefinition } from '../platform/service.ts'

export interface ReadyTableOptions {
  readonly platform: Platform
  readonly services: readonly ServiceDefinition[]
  readonly dataDir: string
  readonly tookMs: number
}

/** What a person reads first: where everything is. */
export function readyTable({ platform, services, dataDir, tookMs }: ReadyTableOptions): string {
  const width = Math.max(...services.map(({ name }) => name.length))
  const rows = services.map(({ name }) => {
    const helpers = platform.processesOf(name).filter((process) => process.url !== platform.url(name))
    const beside = helpers.length > 0 ? `   with ${helpers.map((process) => process.name).join(', ')}` : ''
    return `  ${name.padEnd(width)}   ${platform.url(name)}${beside}`
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

/** The same for programs: exactly one line. */
export function readyLine({ platform, services }: Pick<ReadyTableOptions, 'platform' | 'services'>): string {
  const urls = services.map(({ name }) => [name, { url: platform.url(name) }])
  return JSON.stringify({ ready: true, services: Object.fromEntries(urls) })
}
