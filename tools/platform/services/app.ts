import { fileURLToPath } from 'node:url'
import { host } from '../ports.ts'

/** `node` arguments that run a command of an app from source. */
export function appProgram(name: string, command: string, flags: readonly string[] = []): readonly string[] {
  return [fileURLToPath(new URL(`../../../apps/${name}/src/main.ts`, import.meta.url)), command, ...flags]
}

/** The same for a command that listens. */
export function app(name: string, command: string, port: number, flags: readonly string[] = []): readonly string[] {
  return appProgram(name, command, ['--listen', `${host}:${port}`, ...flags])
}
