import type { Platform } from '../../platform/platform.ts'
import type { ServiceDefinition } from '../../platform/service.ts'

export interface ProcessView {
  readonly name: string
  readonly service: string
  readonly state: string
  readonly paused: boolean
  readonly pid: number | null
  readonly restarts: number
}

export type Blow = 'kill' | 'pause' | 'resume'

/** Signals to the processes of the platform. What it stops it remembers, for a stopped process cannot end in an orderly way. */
export class Chaos {
  readonly #platform: Pick<Platform, 'processes' | 'processesOf'>
  /** By name, the pid that was stopped: its successor runs. */
  readonly #paused = new Map<string, number>()

  constructor(platform: Pick<Platform, 'processes' | 'processesOf'>) {
    this.#platform = platform
  }

  processes(services: readonly ServiceDefinition[]): readonly ProcessView[] {
    const serviceOf = new Map(
      services.flatMap(({ name }) => this.#of(name).map((process) => [process.name, name] as const)),
    )
    return this.#platform.processes.map(({ name, state, pid, restarts }) => ({
      name,
      service: serviceOf.get(name) ?? '',
      state,
      paused: this.isPaused(name),
      pid: pid ?? null,
      restarts,
    }))
  }

  isPaused(name: string): boolean {
    const pid = this.#platform.processes.find((process) => process.name === name)?.pid
    return pid !== undefined && this.#paused.get(name) === pid
  }

  /** False: no such process runs now. */
  strike(name: string, blow: Blow): boolean {
    const process = this.#platform.processes.find((each) => each.name === name)
    if (process?.pid === undefined) return false
    if (blow === 'pause') this.#paused.set(name, process.pid)
    else this.#paused.delete(name)
    process.kill(({ kill: 'SIGKILL', pause: 'SIGSTOP', resume: 'SIGCONT' } as const)[blow])
    return true
  }

  resumeAll(): void {
    for (const name of this.#paused.keys()) if (this.isPaused(name)) this.strike(name, 'resume')
  }

  /** A service that has not been started yet has none. */
  #of(service: string): Platform['processes'] {
    try {
      return this.#platform.processesOf(service)
    } catch {
      return []
    }
  }
}
