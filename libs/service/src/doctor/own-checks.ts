import { createServer } from 'node:net'
import { createAuthenticator } from '../auth/create-authenticator.ts'
import type { ServiceSettings } from '../config/service-options.ts'
import { Health } from '../health.ts'
import { silentLog } from '../log.ts'
import { bind } from '../process/bind.ts'
import { Listener } from '../process/listener.ts'
import { parseListenAddress, showAddress } from '../process/listen-address.ts'
import { Reloads } from '../process/reloads.ts'
import { loadTls } from '../tls.ts'
import type { Check } from './check.ts'

/** The oldest Node that has all that is used here. */
const neededMajor = 24

/** What every service needs: Node, its addresses, and the files that say who may call. */
export function ownChecks(
  prefix: string,
  settings: ServiceSettings,
  version = process.versions.node,
): readonly Check[] {
  const { tlsCert, tlsKey, tlsClientCa, auth, metricsListen } = settings
  const checks: Check[] = [
    { name: 'node', look: () => lookAtNode(version) },
    { name: '--listen', look: () => lookAtAddress(prefix, settings) },
  ]
  if (metricsListen !== undefined) {
    const flag = `--metrics-listen (${prefix}_METRICS_LISTEN)`
    checks.push({ name: '--metrics-listen', look: () => lookAtPort(metricsListen, flag) })
  }
  if (tlsCert !== undefined || tlsKey !== undefined || tlsClientCa !== undefined) {
    checks.push({
      name: '--tls-cert',
      async look() {
        loadTls(settings)
        return 'certificate and key can be read and belong together'
      },
    })
  }
  if (auth === 'tokens' || auth === 'mtls') {
    checks.push({ name: '--auth', look: () => lookAtAuth(settings) })
  }
  return checks
}

async function lookAtNode(version: string): Promise<string> {
  const major = Number(version.split('.', 1)[0])
  if (major >= neededMajor) return `Node ${version}; ${neededMajor} or newer is needed`
  throw new Error(`Node ${version} is too old: ${neededMajor} or newer is needed; npm run in a checkout brings its own`)
}

/** Taken for a moment, as a start takes it for good. */
async function lookAtAddress(prefix: string, settings: ServiceSettings): Promise<string> {
  const listener = new Listener({ settings, prefix, log: silentLog('doctor'), health: new Health(), isWorker: false })
  const bound = await listener.reserve()
  const wanted = parseListenAddress(settings.listen, '--listen')
  return wanted.port === 0 ? `${showAddress(wanted)}: any free port` : `${showAddress(bound)} is free`
}

async function lookAtPort(text: string, flag: string): Promise<string> {
  const server = createServer()
  try {
    return `${showAddress(await bind(server, parseListenAddress(text, flag), flag))} is free`
  } finally {
    server.close()
  }
}

async function lookAtAuth(settings: ServiceSettings): Promise<string> {
  const reloads = new Reloads(silentLog('doctor'))
  try {
    createAuthenticator(settings, reloads)
    return `the file of --auth ${settings.auth} can be read`
  } finally {
    reloads.close()
  }
}
