import { fileURLToPath } from 'node:url'
import { startProcess, type TestProcess } from '@ballast/testing'

export interface CounterProcess extends TestProcess {
  readonly url: string
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export const counterProcess = (...args: string[]): TestProcess => startProcess({ args: [main, ...args] })

/** The real process on a free port and a file; resolves when it listens. */
export const startCounter = (path: string, ...args: string[]): Promise<CounterProcess> =>
  startCounterOn(`file:${path}`, ...args)

/** The same on any store. */
export async function startCounterOn(store: string, ...args: string[]): Promise<CounterProcess> {
  const started = counterProcess('--store', store, '--listen', '127.0.0.1:0', ...args)
  const line: unknown = JSON.parse(await started.waitForLine(/"msg":"listening"/))
  if (typeof line !== 'object' || line === null || !('url' in line) || typeof line.url !== 'string') {
    throw new Error(`no url in ${JSON.stringify(line)}`)
  }
  return Object.assign(started, { url: line.url })
}
