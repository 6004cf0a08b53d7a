import { fileURLToPath } from 'node:url'
import { host } from '../ports.ts'

/** `node` arguments that run a command of an app from source. */
export function app(name: string, command: string, port: number, flags: readonly string[] = []): readonly string[] {
  const main = fileURLToPath(new URL(`../../../apps/${name}/src/main.ts`, import.meta.url))
  return [main, command, '--listen', `${host}:${port}`, ...flags]
}
