import { execFile, spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Kustomize } from '../../kustomize/find-kustomize.ts'
import type { Daemon } from '../daemon.ts'
import type { Kubectl } from '../kubectl.ts'
import type { Table } from '../level.ts'

/** What a proof on the node works with. */
export interface ProofContext {
  readonly kubectl: Kubectl
  /** Of the administrator. */
  readonly kubeconfig: string
  readonly binaries: string
  readonly kustomize: Kustomize
  readonly daemons: readonly Daemon[]
  readonly table: Table
  /** Before a command that shall run in the node's network. */
  readonly enter: readonly string[]
  /** The node's own folder: its volumes, and containerd's socket. */
  readonly folder: string
  /** The revision whose images run at first; undefined when there is none. */
  readonly earlier: string | undefined
}

export interface Proof {
  readonly name: string
  readonly run: (context: ProofContext) => Promise<void>
}

export interface LoadRequest {
  readonly url: string
  readonly seconds?: number
  readonly method?: string
  readonly body?: string
  readonly clients?: number
  readonly pauseMs?: number
  /** Strings, or lists of them, that answers have at this key, into a file. */
  readonly collect?: { readonly key: string; readonly file: string }
  /** Instead of a time: once for each line of this file, in place of `{line}` in the URL. */
  readonly each?: string
}

export interface Loaded {
  readonly ok: number
  /** By HTTP status or error code. */
  readonly failed: Readonly<Record<string, number>>
}

export const namespace = 'ballast'
/** Of the Services, as the overlay has chosen them: there is no DNS on the node. */
export const addresses = {
  redis: '10.96.0.20',
  counter: 'http://10.96.0.21',
  'message-store': 'http://10.96.0.22',
  scaler: 'http://10.96.0.23',
  mongo: '10.96.0.25',
  'load-tolerant-api': 'http://10.96.0.26',
} as const

const loadProgram = fileURLToPath(new URL('load.mjs', import.meta.url))

export const failures = ({ failed }: Loaded): number => Object.values(failed).reduce((sum, count) => sum + count, 0)
export const show = (loaded: Loaded): string =>
  `${loaded.ok}, ${failures(loaded) === 0 ? '0' : JSON.stringify(loaded.failed).replaceAll('"', '')}`
export const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

/** Runs a program in the node's network; its standard output. Rejects with what it wrote to standard error. */
export async function runThere(
  context: ProofContext,
  command: readonly string[],
  env?: NodeJS.ProcessEnv,
): Promise<string> {
  const [program = '', ...rest] = [...context.enter, ...command]
  return (await promisify(execFile)(program, rest, { maxBuffer: 64 << 20, ...(env && { env }) })).stdout
}

const request = `const [url, method, body] = process.argv.slice(1)
const headers = { 'content-type': 'application/json' }
const answer = await fetch(url, { method, ...(body ? { body, headers } : {}), signal: AbortSignal.timeout(10_000) })
process.stdout.write(await answer.text())`

/** The body of an answer. */
export function ask(context: ProofContext, url: string, method = 'GET', body = ''): Promise<string> {
  return runThere(context, [process.execPath, '--input-type=module', '-e', request, url, method, body])
}

/** Four clients at once, unless the request says otherwise. */
export async function load({ enter }: ProofContext, request: LoadRequest): Promise<Loaded> {
  const [program, ...rest] = [...enter, process.execPath, loadProgram, JSON.stringify(request)]
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(await text(child.stdout))
}

export const rolledOut = ({ kubectl }: ProofContext, what: string, where = namespace): Promise<string> =>
  kubectl.run(['rollout', 'status', what, `--namespace=${where}`, '--timeout=300s'])

/** Of the counter that has no name. */
export const counterValue = async (context: ProofContext, url: string = addresses.counter): Promise<number> =>
  Number(/\d+/.exec(await ask(context, `${url}/`))?.[0])
