import { startBackend } from '@ballast/backends'
import { startFaultProxy } from '@ballast/fault-proxy'

/** What a store was asked to write, seen from outside. */
export interface WriteCommands {
  readonly count: number
  /** The most in any window of one second. */
  readonly worstSecond: number
}

export interface RealStores extends AsyncDisposable {
  /** The variables by which the services find their servers. */
  readonly env: Readonly<Record<string, string>>
  /** "counter on redis 7.0.15", one for each service. */
  readonly names: readonly string[]
  /** Of the document store. */
  readonly writeCommands?: () => WriteCommands
}

type Started = Omit<RealStores, 'names' | typeof Symbol.asyncDispose> & { readonly on: string }
type Start = (own: AsyncDisposableStack) => Promise<Started>

/** Servers of the tour's own, which sync before they answer; they and their data go with it. */
const starts: Readonly<Record<string, Start>> = {
  async counter(own) {
    const { url, version } = own.use(await startBackend('redis'))
    return { on: `redis ${version}`, env: { COUNTER_STORE: url } }
  },
  async 'message-store'(own) {
    const { url, version } = own.use(await startBackend('cassandra'))
    return { on: `cassandra ${version}`, env: { MESSAGE_STORE_STORE: url.replace(/\/?\?/, '/tour?replication=1&') } }
  },
  async scaler(own) {
    const { url, version } = own.use(await startBackend('postgres'))
    return { on: `postgres ${version}`, env: { SCALER_STORE: url } }
  },
  async 'load-tolerant-api'(own) {
    const redis = own.use(await startBackend('redis'))
    const documents = own.use(await startBackend('mongodb'))
    // The cap on write commands is judged on the wire, by somebody who does not keep it.
    const { url, writeCommands } = own.use(await startFaultProxy({ target: documents.url, mongo: {} }))
    return {
      on: `redis ${redis.version} and ${documents.version}`,
      env: { LOAD_TOLERANT_API_STREAM: redis.url, LOAD_TOLERANT_API_DOCUMENTS: url },
      ...(writeCommands && { writeCommands: () => writeCommands }),
    }
  },
}

/** Rejects with one sentence when a server cannot be had here; `npm run backends -- doctor` says more. */
export async function startRealStores(services: readonly string[]): Promise<RealStores> {
  await using own = new AsyncDisposableStack()
  const settled = await Promise.allSettled(services.map(async (name) => starts[name]?.(own)))
  const started = settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
  const env: Record<string, string> = Object.assign({}, ...started.map((each) => each?.env))
  const names = started.flatMap((each, index) => (each === undefined ? [] : [`${services[index]} on ${each.on}`]))
  const writeCommands = started.find((each) => each?.writeCommands !== undefined)?.writeCommands
  const running = own.move()
  return {
    env,
    names,
    ...(writeCommands && { writeCommands }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}
