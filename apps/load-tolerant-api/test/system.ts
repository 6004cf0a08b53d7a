import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, type TestProcess } from '@ballast/testing'
import { afterAll } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export interface Running extends AsyncDisposable {
  readonly process: TestProcess
  readonly url: string
}

/** The store flags of a test's folder. */
export function stores(folder: string): string[] {
  return ['--stream', `lmdb:${join(folder, 'stream')}`, '--documents', `lmdb:${join(folder, 'documents')}`]
}

/** On Linux the kernel ends what a test has started when the process of the tests ends, however it does. */
const endsWithTests = hasSetpriv() ? ['setpriv', '--pdeathsig', 'KILL', '--'] : []

/** What a test that failed or took too long has left behind. */
const started = new Set<TestProcess>()
afterAll(async () => {
  await Promise.all([...started].map((process) => process[Symbol.asyncDispose]()))
})

/** `limits`: shell commands that set limits before the shell becomes the process. */
export function run(
  command: string,
  args: readonly string[],
  env: Record<string, string> = {},
  limits = ':',
): TestProcess {
  const words = [...endsWithTests, process.execPath, main, command, ...args]
  const running = startProcess({ command: 'sh', args: ['-c', `${limits}; exec "$@"`, 'sh', ...words], env })
  started.add(running)
  running.exit.then(
    () => started.delete(running),
    () => started.delete(running),
  )
  return running
}

export async function start(
  command: 'api' | 'consumer',
  args: readonly string[],
  listen = '127.0.0.1:0',
  limits?: string,
): Promise<Running> {
  const process = run(command, ['--listen', listen, ...args], {}, limits)
  // A bound on a hang: on a machine that is busy with other things a start takes a minute.
  const line: unknown = JSON.parse(await process.waitForLine(/"msg":"listening"/, 180_000))
  if (typeof line !== 'object' || line === null || !('url' in line)) throw new Error('listening without a url')
  return { process, url: String(line.url), [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() }
}

function hasSetpriv(): boolean {
  try {
    execFileSync('setpriv', ['--version'], { stdio: 'ignore' })
    return process.platform === 'linux'
  } catch {
    return false
  }
}

export async function stop({ process }: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  process.kill(signal)
  return (await process.exit).code
}
