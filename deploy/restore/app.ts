import { join } from 'node:path'
import { startProcess, type Exit, type TestProcess } from '@ballast/testing'
import { root } from '../image/apps.ts'

export interface RunningApp extends AsyncDisposable {
  readonly url: string
  /** SIGTERM, and the end of it. */
  stop(): Promise<Exit>
  /** SIGKILL, and the end of it. */
  kill(): Promise<Exit>
}

const launch = (app: string, args: readonly string[]): TestProcess =>
  startProcess({ args: [join(root, 'apps', app, 'src/main.ts'), ...args] })

/** A real process of an app, on a free port; resolves when it listens. */
export async function startApp(app: string, ...args: string[]): Promise<RunningApp> {
  const started = launch(app, [...args, '--listen', '127.0.0.1:0'])
  const { url }: { url: string } = JSON.parse(await started.waitForLine(/"msg":"listening"/))
  const end = (signal: NodeJS.Signals): Promise<Exit> => {
    started.kill(signal)
    return started.exit
  }
  return {
    url,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => started[Symbol.asyncDispose](),
  }
}

/** A command of an app that ends by itself: its exit code and all that it said. */
export async function runTask(app: string, ...args: string[]): Promise<{ code: number | null; said: string }> {
  await using started = launch(app, args)
  const { code } = await started.exit
  return { code, said: [...started.stdout, ...started.stderr].join('\n') }
}
