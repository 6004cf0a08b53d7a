import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, type TestProcess } from '@ballast/testing'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export interface Running extends AsyncDisposable {
  readonly process: TestProcess
  readonly url: string
}

/** The store flags of a test's folder. */
export function stores(folder: string): string[] {
  return ['--stream', `lmdb:${join(folder, 'stream')}`, '--documents', `lmdb:${join(folder, 'documents')}`]
}

export function run(command: string, args: readonly string[], env: Record<string, string> = {}): TestProcess {
  return startProcess({ args: [main, command, ...args], env })
}

/** The same under limits that a shell sets before it becomes the process. */
function runLimited(limits: string, args: readonly string[]): TestProcess {
  return startProcess({ command: 'sh', args: ['-c', `${limits}; exec "$@"`, 'sh', process.execPath, main, ...args] })
}

export async function start(
  command: 'api' | 'consumer',
  args: readonly string[],
  listen = '127.0.0.1:0',
  limits?: string,
): Promise<Running> {
  const all = ['--listen', listen, ...args]
  const process = limits === undefined ? run(command, all) : runLimited(limits, [command, ...all])
  const line: unknown = JSON.parse(await process.waitForLine(/"msg":"listening"/))
  if (typeof line !== 'object' || line === null || !('url' in line)) throw new Error('listening without a url')
  return { process, url: String(line.url), [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() }
}

export async function stop({ process }: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  process.kill(signal)
  return (await process.exit).code
}
