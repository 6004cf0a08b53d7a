import { randomUUID } from 'node:crypto'
import {
  backendKinds,
  BackendUnavailableError,
  durabilities,
  type BackendKind,
  type BackendOptions,
  type RunningBackend,
} from './backend.ts'
import { definitions } from './definitions.ts'
import { reachServer } from './guard-client.ts'

/** How long a shared server outlives its last user: the next project of the same test run finds it warm. */
const sharedLingerMs = 20_000

/**
 * A server of the caller's own, with handles to kill, pause and restart it. Rejects with `BackendUnavailableError` where
 * none can be had. It ends with the caller's process, however that ends.
 */
export async function startBackend(kind: BackendKind, options: BackendOptions = {}): Promise<RunningBackend> {
  assertKnown(kind, options)
  if (!/^[\w-]{8,}$/.test(options.password ?? 'none-given')) {
    throw new Error(`${kind}: a password for tests is at least 8 letters, digits, - and _`)
  }
  return reachServer({ kind, name: randomUUID(), options, lingerMs: 0 })
}

/**
 * The one server of this kind that all tests of a run share; started by the first that asks. An URL in the environment
 * (REDIS_URL and its kin) is used as it is. Callers keep to a namespace of their own in it and leave its life alone.
 */
export async function sharedBackend(kind: BackendKind, options: BackendOptions = {}): Promise<RunningBackend> {
  assertKnown(kind, options)
  const url = process.env[definitions[kind].variable]
  if (url !== undefined && url !== '') return foreign(kind, url)
  return reachServer({ kind, name: `${kind} ${JSON.stringify(options)}`, options, lingerMs: sharedLingerMs })
}

/** Kinds and durabilities come from command lines and files, too. */
function assertKnown(kind: string, { durability }: BackendOptions): void {
  if (!backendKinds.some((known) => known === kind)) {
    throw new Error(`"${kind}" is no kind of server here: known are ${backendKinds.join(', ')}`)
  }
  if (durability !== undefined && !durabilities.includes(durability)) {
    throw new Error(`${kind}: durability "${durability}" is not known: it is ${durabilities.join(', ')}`)
  }
}

function foreign(kind: BackendKind, url: string): RunningBackend {
  const notOurs = (): Promise<never> =>
    Promise.reject(
      new BackendUnavailableError(kind, `the server of ${definitions[kind].variable} is not ours to stop or pause`),
    )
  return {
    kind,
    url,
    version: 'as found',
    origin: 'environment',
    readyAfterMs: 0,
    logs: () => Promise.resolve(''),
    restart: notOurs,
    kill: notOurs,
    pause: notOurs,
    resume: notOurs,
    stop: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
