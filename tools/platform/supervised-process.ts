import { setTimeout as delay } from 'node:timers/promises'
import { backoffMs, type Backoff } from './backoff.ts'
import { type Child, type ChildExit, spawnChild } from './child.ts'
import { type LogRecord, parseLogLine } from './log-record.ts'
import type { PidFiles } from './pid-files.ts'
import { probe } from './probe.ts'
import type { ProcessSpec, Report } from './service.ts'
import { StartError } from './start-error.ts'

/**
 * - `starting`: runs, but /readyz has not answered 200 yet
 * - `ready`: has answered 200 once since it was started
 * - `waiting`: died, is started again after the back-off
 * - `stopping`: was told to end
 * - `stopped`: is gone and stays gone
 */
export type ProcessState = 'starting' | 'ready' | 'waiting' | 'stopping' | 'stopped'

export interface SupervisorOptions {
  /** Which the process belongs to; services begin their sentences with it. */
  readonly service: string
  readonly spec: ProcessSpec
  readonly env: Readonly<Record<string, string | undefined>>
  readonly pidFiles: PidFiles
  readonly backoff: Backoff
  readonly random: () => number
  /** PEM that readiness probes over https trust. */
  readonly ca?: string | undefined
  onLog(record: LogRecord): void
  /** What the supervisor itself has to say. */
  readonly report: Report
}

/** How often a process may die before it was ready for the first time. */
const startAttempts = 3
const probeEveryMs = 50

/**
 * Keeps one process running. Before it was ready for the first time, exit code 2 (it cannot start as configured),
 * `"needsRepair":true` in a line of its log (it runs, but will not be ready) or three deaths end the attempt; afterwards
 * every death is followed by a new start, however often.
 * Only `#enter` changes the state.
 */
export class SupervisedProcess {
  readonly name: string
  readonly role: string
  readonly #options: SupervisorOptions
  readonly #stop = new AbortController()
  readonly #run: Promise<void>
  /** Resolves when the process was ready for the first time; rejects with `StartError` when it never will be. */
  readonly firstReady: Promise<void>
  #state: ProcessState = 'starting'
  readonly #needsRepair: (error: StartError) => void
  #child: Child | undefined
  #url: string | undefined
  #lastWords: string[] = []
  #restarts = 0
  #wasReady = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.name = options.spec.name
    this.role = options.spec.role
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.firstReady = promise
    this.#needsRepair = reject
    // Whoever does not wait for readiness learns of the failure from `state`.
    promise.catch(() => {})
    this.#run = this.#supervise(resolve).then(
      () => reject(new StartError(`${this.name} was stopped before it was ready`)),
      reject,
    )
  }

  get state(): ProcessState {
    return this.#state
  }

  /** Of the current incarnation; undefined between two. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Where it listens, once it said so. A restart on port 0 changes it. */
  get url(): string | undefined {
    return this.#url
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Signals the process and what it started; the supervisor takes a death that follows for a crash. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** SIGTERM, after `graceMs` SIGKILL. Resolves when the process is gone; idempotent. */
  async stop(graceMs: number): Promise<void> {
    this.#stop.abort()
    if (this.#state !== 'stopped') this.#enter('stopping')
    const child = this.#child
    child?.kill('SIGTERM')
    const hard = setTimeout(() => {
      this.#options.report('warn', 'did not stop in time, is killed', { process: this.name, graceMs })
      child?.kill('SIGKILL')
    }, graceMs)
    await this.#run
    clearTimeout(hard)
  }

  #enter(state: ProcessState): void {
    this.#state = state
  }

  async #supervise(becameReady: () => void): Promise<void> {
    let failures = 0
    try {
      while (!this.#stop.signal.aborted) {
        const startedMs = performance.now()
        const exit = await this.#live(becameReady)
        if (this.#stop.signal.aborted) break
        if (!this.#wasReady && (exit.code === 2 || failures + 1 >= startAttempts)) throw this.#startError(exit)
        if (performance.now() - startedMs >= this.#options.backoff.resetAfterMs) failures = 0
        await this.#wait(exit, failures++)
      }
    } finally {
      this.#enter('stopped')
    }
  }

  /** One incarnation, from spawn to death. */
  async #live(becameReady: () => void): Promise<ChildExit> {
    const { spec, env, pidFiles } = this.#options
    this.#enter('starting')
    this.#url = undefined
    this.#lastWords = []
    const child = spawnChild({
      args: spec.args,
      env: { ...env, ...spec.env },
      onLine: (...line) => this.#read(...line),
    })
    this.#child = child
    if (child.pid !== undefined) await pidFiles.record(spec.name, child.pid)
    const gone = new AbortController()
    const exit = child.exit.finally(() => gone.abort())
    void this.#watch(gone.signal, becameReady)
    const how = await exit
    // A child of the process may have outlived it; nothing of this incarnation may meet the next one.
    child.kill('SIGKILL')
    this.#child = undefined
    await pidFiles.remove(spec.name)
    return how
  }

  async #watch(gone: AbortSignal, becameReady: () => void): Promise<void> {
    while (!gone.aborted) {
      if (this.#url !== undefined) {
        const { status } = await probe(`${this.#url}/readyz`, { ca: this.#options.ca })
        if (status === 200) break
      }
      await delay(probeEveryMs)
    }
    if (gone.aborted || this.#stop.signal.aborted) return
    this.#enter('ready')
    if (this.#restarts > 0) {
      this.#options.report('info', 'ready again', { process: this.name, pid: this.pid, restarts: this.#restarts })
    }
    this.#wasReady = true
    becameReady()
  }

  async #wait({ code, signal }: ChildExit, failures: number): Promise<void> {
    const waitMs = backoffMs(failures, this.#options.backoff, this.#options.random)
    this.#enter('waiting')
    this.#restarts++
    const why = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
    this.#options.report('warn', `${why}, restart in ${waitMs} ms`, { process: this.name, restarts: this.#restarts })
    await delay(waitMs, undefined, { signal: this.#stop.signal }).catch(() => {})
  }

  #read(line: string, from: 'stdout' | 'stderr'): void {
    if (from === 'stderr' && line.trim() !== '') this.#lastWords = [...this.#lastWords.slice(-20), line.trim()]
    const record = parseLogLine(this.name, line, from, Date.now())
    if (record.msg === 'listening' && typeof record.fields['url'] === 'string') this.#url ??= record.fields['url']
    if (record.fields['needsRepair'] === true && !this.#wasReady) {
      this.#needsRepair(new StartError(`${this.name} cannot start: ${record.msg.replace(/^not ready: /, '')}`))
    }
    this.#options.onLog(record)
  }

  #startError({ code, signal }: ChildExit): StartError {
    const error = this.#lastWords.find((line) => /^\w*Error\b/.test(line))
    const words = (code === 2 ? undefined : error) ?? this.#lastWords.at(-1)
    // Services begin with their own name and that they cannot start; that is said once, here.
    const prefix = new RegExp(`^${this.#options.service}: (cannot start: )?`)
    const sentence = words?.replace(prefix, '')
    const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`
    return new StartError(`${this.name} cannot start: ${sentence ?? `it ${how} without a word`}`)
  }
}
