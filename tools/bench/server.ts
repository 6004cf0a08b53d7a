import { fileURLToPath } from 'node:url'
import { spawnChild } from '../platform/child.ts'
import { parseLogLine } from '../platform/log-record.ts'
import { probe } from '../platform/probe.ts'

/**
 * Starts a server as a process of its own (neither the load nor the other side shares its event loop) and resolves
 * with its URL when /readyz answers 200. It is ended when the stack is disposed, and killed when this process ends before that.
 */
export async function startServer(
  stack: AsyncDisposableStack,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<string> {
  return (await startServerProcess(stack, args, env)).url
}

/** The same, for those who also look at the process. */
export async function startServerProcess(
  stack: AsyncDisposableStack,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<{ readonly url: string; readonly pid: number | undefined }> {
  const said: string[] = []
  const { promise: listening, resolve, reject } = Promise.withResolvers<string>()
  const child = spawnChild({
    args,
    env: { ...process.env, ...env },
    onLine(line, from) {
      said.push(line)
      const { msg, fields } = parseLogLine('server', line, from, 0)
      if (msg === 'listening' && typeof fields['url'] === 'string') resolve(fields['url'])
    },
  })
  const kill = (): void => child.kill('SIGKILL')
  process.once('exit', kill)
  stack.defer(async () => {
    child.kill('SIGTERM')
    await child.exit
    process.off('exit', kill)
  })
  void child.exit.then(({ code }) => reject(new Error(`${args.join(' ')} ended with ${code}: ${said.join('\n')}`)))
  const url = await listening
  for (;;) {
    const { status } = await probe(`${url}/readyz`)
    if (status === 200) return { url, pid: child.pid }
  }
}

/** `node` arguments for the program of an app or, without a command, for one in servers/. */
export function program(path: string, ...args: readonly string[]): readonly string[] {
  return [fileURLToPath(new URL(path, import.meta.url)), ...args]
}
