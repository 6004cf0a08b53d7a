import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Launch } from './backend.ts'
import { areStopped, processTree, signalAll } from './process-tree.ts'
import { findProgram } from './run.ts'
import type { Server } from './server.ts'
import { untilReady } from './until-ready.ts'

/** On Linux the kernel ends the server even when its guard is killed by SIGKILL. `setpriv` execs: the pid is the server's. */
const setpriv = findProgram('setpriv')
const diesWithParent = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL', '--']

/** A server that is a process. */
export class ProcessServer implements Server {
  readonly logFile: string
  readonly #launch: Launch
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()

  constructor(launch: Launch, folder: string) {
    this.#launch = launch
    this.logFile = join(folder, 'server.log')
  }

  get pid(): number {
    return this.#child?.pid ?? -1
  }

  async start(): Promise<void> {
    const { prefix = [], command, args, env, uid, gid } = this.#launch
    const log = openSync(this.logFile, 'a')
    // The death signal comes last: a change of account clears it.
    const [program = command, ...words] = [...prefix, ...diesWithParent, command, ...args]
    const child = spawn(program, words, {
      cwd: '/',
      env: { ...process.env, ...env },
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    this.#child = child
    let over = false
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        over = true
        resolve()
      }
      child.once('exit', end)
      child.once('error', end)
    })
    const early = this.#ended.then(() => {
      throw new Error(`${command} ended at once: ${this.#lastWords()}`)
    })
    try {
      await Promise.race([this.#launch.ready(), early])
    } catch (error) {
      if (!over) await this.kill()
      throw error
    } finally {
      early.catch(() => {})
    }
  }

  async stop(graceMs = 15_000): Promise<void> {
    await this.resume()
    this.#child?.kill(this.#launch.stopSignal ?? 'SIGTERM')
    const deadline = setTimeout(() => this.#child?.kill('SIGKILL'), graceMs)
    await this.#ended
    clearTimeout(deadline)
  }

  remove(): Promise<void> {
    return this.stop()
  }

  /** SIGKILL to the server and all its processes; resolves when the last of them is gone. */
  async kill(): Promise<void> {
    const pids = await this.#processes()
    signalAll(pids, 'SIGKILL')
    await this.#ended
    for (const pid of pids) await untilReady(async () => expectGone(pid), 10_000)
  }

  /** SIGSTOP to the server and all its processes; resolves when none of them runs any more. */
  async pause(): Promise<void> {
    const pids = await this.#processes()
    if (pids.length === 0) throw new Error(`${basename(this.#launch.command)} does not run: restart() it first`)
    signalAll(pids, 'SIGSTOP')
    await untilReady(async () => {
      if (!(await areStopped(pids))) throw new Error(`${this.#launch.command} does not stop`)
    }, 10_000)
  }

  async resume(): Promise<void> {
    signalAll(await this.#processes(), 'SIGCONT')
  }

  /** None of a server that has ended: its number may be another program's by now. */
  async #processes(): Promise<number[]> {
    const ended = this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
    return ended ? [] : processTree(this.pid)
  }

  /** Its last lines, and before them what it called an error; without the stack traces of Java. */
  #lastWords(): string {
    const lines = readFileSync(this.logFile, 'utf8').trim().split('\n')
    const telling = lines.filter((line) => !/^\s+(at |\.\.\.)/.test(line))
    const errors = telling.slice(0, -2).filter((line) => /ERROR|FATAL|Exception|Terminating|in use/.test(line))
    return [...errors.slice(-3), ...telling.slice(-2)].join(' | ')
  }
}

async function expectGone(pid: number): Promise<void> {
  const [alive] = await processTree(pid)
  if (alive === pid) throw new Error(`process ${pid} does not end`)
}
