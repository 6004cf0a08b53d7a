import { ConfigError } from '@ballast/service'

const prefix = 'LOAD_TOLERANT_API'

/** Variables of the seed system, whose units differ from ours: seconds become ms, a port becomes an address. */
const translations: Readonly<
  Record<string, { readonly to: string; readonly translate: (value: string, name: string) => string }>
> = {
  APP_PORT: { to: `${prefix}_LISTEN`, translate: (port, name) => `127.0.0.1:${asPort(port, name)}` },
  CACHE_TTL: { to: `${prefix}_CACHE_TTL_MS`, translate: (seconds, name) => inMs(seconds, name, 'above 0') },
  FLUSH_INTERVAL: { to: `${prefix}_BATCH_DELAY_MS`, translate: (seconds, name) => inMs(seconds, name, 'from 0 on') },
  MONGO_URI: { to: `${prefix}_DOCUMENTS`, translate: (uri) => uri },
}

/**
 * The variables to add so that a deployment of the seed system keeps its settings. Ours win; what Kubernetes injects
 * for a Service named `app` (`APP_PORT=tcp://...`) is left out. Throws `ConfigError` in the name and unit that the reader wrote.
 */
export function fromSeedEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const added: Record<string, string> = {}
  for (const [name, { to, translate }] of Object.entries(translations)) {
    const value = env[name]
    if (value === undefined || value === '' || value.startsWith('tcp://') || env[to] !== undefined) continue
    added[to] = translate(value, name)
  }
  const { REDIS_HOST: host, REDIS_PORT: port = '' } = env
  if (host !== undefined && host !== '' && env[`${prefix}_STREAM`] === undefined) {
    if (/[\s/@?#,]/.test(host)) refuse('REDIS_HOST', 'the name or address of a host', host)
    const given = port === '' || port.startsWith('tcp://') ? '6379' : asPort(port, 'REDIS_PORT')
    added[`${prefix}_STREAM`] = `redis://${host.includes(':') ? `[${host}]` : host}:${given}`
  }
  return added
}

function asPort(value: string, name: string): string {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) refuse(name, 'a port from 0 to 65535', value)
  return value
}

function inMs(value: string, name: string, range: 'above 0' | 'from 0 on'): string {
  const seconds = value.trim() === '' ? Number.NaN : Number(value)
  const ms = Math.round(seconds * 1000)
  if (!Number.isSafeInteger(ms) || ms < (range === 'above 0' ? 1 : 0))
    refuse(name, `seconds ${range}, as in 1.5`, value)
  return String(ms)
}

function refuse(name: string, wanted: string, value: string): never {
  throw new ConfigError(`${name} must be ${wanted}, not ${JSON.stringify(value)}`)
}
