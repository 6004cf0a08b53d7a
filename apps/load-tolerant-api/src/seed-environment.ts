const prefix = 'LOAD_TOLERANT_API'

/** Variables of the seed system, whose units differ from ours: seconds become ms, a port becomes an address. */
const translations: Readonly<Record<string, { readonly to: string; readonly translate: (value: string) => string }>> = {
  APP_PORT: { to: `${prefix}_LISTEN`, translate: (port) => `127.0.0.1:${port}` },
  CACHE_TTL: { to: `${prefix}_CACHE_TTL_MS`, translate: inMs },
  FLUSH_INTERVAL: { to: `${prefix}_BATCH_DELAY_MS`, translate: inMs },
  MONGO_URI: { to: `${prefix}_DOCUMENTS`, translate: (uri) => uri },
}

/**
 * The variables to add so that a deployment of the seed system keeps its settings. Ours win; what Kubernetes injects
 * for a Service named `app` (`APP_PORT=tcp://...`) is left out. A value that is no number is passed on, to be refused by name.
 */
export function fromSeedEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const added: Record<string, string> = {}
  for (const [name, { to, translate }] of Object.entries(translations)) {
    const value = env[name]
    if (value === undefined || value === '' || value.startsWith('tcp://') || env[to] !== undefined) continue
    added[to] = translate(value)
  }
  const { REDIS_HOST: host, REDIS_PORT: port = '' } = env
  if (host !== undefined && host !== '' && env[`${prefix}_STREAM`] === undefined) {
    added[`${prefix}_STREAM`] = `redis://${host}:${port === '' || port.startsWith('tcp://') ? '6379' : port}`
  }
  return added
}

function inMs(seconds: string): string {
  return Number.isNaN(Number(seconds)) ? seconds : String(Math.round(Number(seconds) * 1000))
}
