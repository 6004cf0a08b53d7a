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

type Signalled = Pick<Platform, 'processes' | 'processesOf' | 'serversOf'>

const signals = { kill: 'SIGKILL', pause: 'SIGSTOP', resume: 'SIGCONT' } as const

/**
 * Signals to the processes of the platform, and to the servers that it runs below them. What it stops it remembers, for a stopped
 * process cannot end in an orderly way.
 */
export class Chaos {
  readonly #platform: Signalled
  readonly #services: readonly ServiceDefinition[]
  /** By name, the pid that was stopped: its successor runs. */
  readonly #paused = new Map<string, number>()

  constructor(platform: Signalled, services: readonly ServiceDefinition[]) {
    this.#platform = platform
    this.#services = services
  }

  /** What runs below a service comes after all processes. */
  get processes(): readonly ProcessView[] {
    const serviceOf = new Map(
      this.#services.flatMap(({ name }) => this.#of(name).map((process) => [process.name, name] as const)),
    )
    const processes = this.#platform.processes.map(({ name, state, pid, restarts }) => {
      return {
        name,
        service: serviceOf.get(name) ?? '',
        state,
        paused: this.isPaused(name),
        pid: pid ?? null,
        restarts,
      }
    })
    const servers = this.#services.flatMap(({ name: service }) =>
      this.#platform.serversOf(service).map(({ name, pid, restarts }) => {
        const state = pid === undefined ? 'waiting' : 'ready'
        return { name, service, state, paused: this.isPaused(name), pid: pid ?? null, restarts }
      }),
    )
    return [...processes, ...servers]
  }

  isPaused(name: string): boolean {
    const pid = this.#find(name)?.pid
    return pid !== undefined && this.#paused.get(name) === pid
  }

  /** False: no such process runs now. */
  async strike(name: string, blow: Blow): Promise<boolean> {
    const found = this.#find(name)
    if (found?.pid === undefined) return false
    if (blow === 'pause') this.#paused.set(name, found.pid)
    else this.#paused.delete(name)
    if ('signal' in found) await found.signal(signals[blow])
    else found.kill(signals[blow])
    return true
  }

  async resumeAll(): Promise<void> {
    const names = [...this.#paused.keys()].filter((name) => this.isPaused(name))
    await Promise.all(names.map((name) => this.strike(name, 'resume')))
  }

  #find(name: string) {
    const servers = this.#services.flatMap((service) => this.#platform.serversOf(service.name))
    return [...this.#platform.processes, ...servers].find((each) => each.name === name)
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
