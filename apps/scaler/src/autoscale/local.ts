import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { ScaleTarget } from './target.ts'

export interface LocalTargetOptions {
  /** What starts the worker of a name. */
  readonly start: (name: string) => {
    readonly command: string
    readonly args: readonly string[]
    env: NodeJS.ProcessEnv
  }
  readonly log: { info(fields: object, message: string): void }
}

const workerName = (number: number) => `worker-${number}`

/**
 * Workers as processes of this machine, children of this control plane, which has to be the only one with this target. Each is a
 * process group of its own: Ctrl-C reaches the control plane alone, which then stops them in good order. Killed, it leaves them at
 * work; the next one starts others under the same names, and they give way. One that ends by itself is missing, and replaced with the
 * next step up.
 */
export function localTarget({ start, log }: LocalTargetOptions): ScaleTarget {
  const children = new Map<number, ChildProcess>()
  const ending = new Set<Promise<unknown>>()

  const launch = (number: number): void => {
    const { command, args, env } = start(workerName(number))
    const child = spawn(command, args, { env, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
    children.set(number, child)
    const forget = () => {
      if (children.get(number) === child) children.delete(number)
    }
    child.on('exit', (code, signal) => {
      forget()
      log.info({ worker: workerName(number), code, signal }, 'a worker process has ended')
    })
    child.on('error', forget)
  }

  const end = (number: number): void => {
    const child = children.get(number)
    if (child === undefined) return
    children.delete(number)
    const ended = once(child, 'exit').finally(() => ending.delete(ended))
    ending.add(ended)
    child.kill('SIGTERM')
  }

  return {
    name: 'local',
    current: async () => children.size,
    async scaleTo(workers) {
      for (const number of children.keys()) if (number >= workers) end(number)
      for (let number = 0; number < workers; number++) if (!children.has(number)) launch(number)
    },
    workerName,
    async [Symbol.asyncDispose]() {
      for (const number of children.keys()) end(number)
      await Promise.all(ending)
    },
  }
}
