import { execFile, spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Daemon } from '../daemon.ts'
import type { Kubectl } from '../kubectl.ts'
import type { Table } from '../level.ts'

/** What a proof on the node works with. */
export interface ProofContext {
  readonly kubectl: Kubectl
  readonly daemons: readonly Daemon[]
  readonly table: Table
  /** Before a command that shall run in the node's network. */
  readonly enter: readonly string[]
  /** The node's own folder: its volumes, and containerd's socket. */
  readonly folder: string
}

export interface Loaded {
  readonly ok: number
  /** By HTTP status or error code. */
  readonly failed: Readonly<Record<string, number>>
}

export const namespace = 'ballast'
const loadProgram = fileURLToPath(new URL('load.mjs', import.meta.url))

export const failures = ({ failed }: Loaded): number => Object.values(failed).reduce((sum, count) => sum + count, 0)
export const show = ({ ok, failed }: Loaded): string => `${ok}, ${JSON.stringify(failed)}`
export const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`

const request = `const [url, method, body] = process.argv.slice(1)
const headers = { 'content-type': 'application/json' }
const answer = await fetch(url, { method, ...(body ? { body, headers } : {}), signal: AbortSignal.timeout(10_000) })
process.stdout.write(await answer.text())`

/** The body of an answer, asked for in the node's network. */
export async function ask({ enter }: ProofContext, url: string, method = 'GET', body = ''): Promise<string> {
  const [program, ...rest] = [...enter, process.execPath, '--input-type=module', '-e', request, url, method, body]
  return (await promisify(execFile)(program ?? '', rest)).stdout
}

/** Adds to a counter for so many seconds, four clients at once. */
export async function load({ enter }: ProofContext, url: string, forSeconds: number): Promise<Loaded> {
  const [program, ...rest] = [...enter, process.execPath, loadProgram, url, String(forSeconds)]
  return JSON.parse(await text(spawn(program ?? '', rest).stdout))
}

export const rolledOut = ({ kubectl }: ProofContext, what: string): Promise<string> =>
  kubectl.run(['rollout', 'status', what, `--namespace=${namespace}`, '--timeout=300s'])
