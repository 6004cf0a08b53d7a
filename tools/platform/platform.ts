import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultBackoff, type Backoff } from './backoff.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import type { LogRecord } from './log-record.ts'
import { PidFiles } from './pid-files.ts'
import { checkPorts } from './ports.ts'
import { ServiceGroup } from './service-group.ts'
import type { EmbeddedServer, Report, ServiceDefinition } from './service.ts'
import { StartError } from './start-error.ts'
import type { SupervisedProcess } from './supervised-process.ts'

export interface PlatformOptions {
  readonly services: readonly ServiceDefinition[]
  /** Everything that the services keep lies below it; one platform at a time. */
  readonly dataDir: string
  /** A service listens on portBase + its offset; 0 (the default) lets the system choose every port. */
  readonly portBase?: number
  /** Environment of the processes. Store URLs (COUNTER_STORE, ...) reach the services through it. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Start size of each service that has replicas. Default 3. */
  readonly replicas?: number
  /** PEM that readiness probes trust when a service listens over TLS. */
  readonly ca?: string
  /** A process gets this long from SIGTERM to SIGKILL. Default 30 s. */
  readonly graceMs?: number
  /** All processes must be ready within this time. Default 90 s. */
  readonly startTimeoutMs?: number
  readonly backoff?: Backoff
  readonly random?: () => number
  onLog(record: LogRecord): void
}

/**
 * All services as supervised processes on one data folder.
 *
 * `start()` either ends with every process ready, or rejects with `StartError` and leaves nothing running.
 * A process that dies later is started again. `stop()` ends processes in reverse start order and closes the stores last.
 */
export class Platform implements AsyncDisposable {
  readonly #options: Required<Omit<PlatformOptions, 'ca'>> & { ca?: string | undefined }
  readonly #groups: ServiceGroup[] = []
  readonly #stopping = new AbortController()
  #folder: DataFolder | undefined
  #started: Promise<void> | undefined
  #stopped: Promise<void> | undefined

  constructor(options: PlatformOptions) {
    this.#options = {
      portBase: 0,
      replicas: 3,
      graceMs: 30_000,
      startTimeoutMs: 90_000,
      backoff: defaultBackoff,
      random: Math.random,
      ...options,
    }
  }

  get processes(): readonly SupervisedProcess[] {
    return this.#groups.flatMap(({ processes }) => processes)
  }

  /** Embedded servers of a service; none before it was started. */
  serversOf(service: string): readonly EmbeddedServer[] {
    return this.#groups.find(({ name }) => name === service)?.servers ?? []
  }

  processesOf(service: string): readonly SupervisedProcess[] {
    return this.#group(service).processes
  }

  /** The process of that name. */
  process(name: string): SupervisedProcess {
    const found = this.processes.find((process) => process.name === name)
    if (found === undefined) throw new Error(`the platform runs no process "${name}"`)
    return found
  }

  /** Where the service of that name listens. */
  url(service: string): string {
    const url = this.#group(service).url
    if (url === undefined) throw new Error(`${service} is not running`)
    return url
  }

  /** What the processes of the service see, addresses of embedded stores included. */
  environment(service: string): Readonly<Record<string, string | undefined>> {
    return this.#group(service).env
  }

  /** Starts or stops replicas of a service, highest ordinal first, and waits until they are ready or gone. */
  setReplicas(service: string, count: number): Promise<void> {
    return this.#group(service).setReplicas(count)
  }

  start(): Promise<void> {
    this.#started ??= this.#start()
    return this.#started
  }

  /** Graceful; safe at any time, also while starting. Repeated calls share one result. */
  stop(): Promise<void> {
    this.#stopping.abort()
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** SIGKILL to every process; `stop()` still has to be awaited for the stores. */
  kill(): void {
    this.#stopping.abort()
    for (const group of this.#groups) group.kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #start(): Promise<void> {
    const { services, dataDir, portBase, graceMs } = this.#options
    try {
      this.#folder = await openDataFolder(dataDir)
      const pidFiles = new PidFiles(this.#folder.path)
      for (const name of await pidFiles.endOrphans(graceMs)) {
        this.#report('warn', 'ended a process that a killed launcher had left behind', { process: name })
      }
      await checkPorts(new Map(services.map(({ name, portOffset }) => [name, portBase && portBase + portOffset])))
      for (const service of services) this.#groups.push(await this.#open(service, this.#folder.path, pidFiles))
      await this.#allReady()
    } catch (error) {
      await (this.#stopped ?? this.#stop())
      throw error
    }
  }

  async #open(definition: ServiceDefinition, folder: string, pidFiles: PidFiles): Promise<ServiceGroup> {
    const { env, portBase, replicas, graceMs, backoff, random, ca, onLog } = this.#options
    const dataDir = join(folder, definition.name)
    await mkdir(dataDir, { recursive: true })
    const report: Report = (level, msg, fields) => this.#report(level, msg, fields)
    return new ServiceGroup({
      definition,
      context: { dataDir, port: portBase && portBase + definition.portOffset, env, replicas, report },
      graceMs,
      supervisor: { pidFiles, backoff, random, ca, onLog, report },
    })
  }

  async #allReady(): Promise<void> {
    const { startTimeoutMs } = this.#options
    const { promise: givenUp, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      const late = this.processes.filter(({ state }) => state !== 'ready').map(({ name }) => name)
      reject(new StartError(`Not ready after ${startTimeoutMs / 1000} s: ${late.join(', ') || 'the embedded stores'}.`))
    }, startTimeoutMs)
    this.#stopping.signal.addEventListener('abort', () =>
      reject(new StartError('Stopped before everything was ready.')),
    )
    try {
      this.#stopping.signal.throwIfAborted()
      await Promise.race([Promise.all(this.#groups.map((group) => group.start())), givenUp])
    } finally {
      clearTimeout(timer)
    }
  }

  async #stop(): Promise<void> {
    const results = await Promise.allSettled(this.#groups.map((group) => group.stop()))
    await this.#folder?.close()
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
    if (failures.length > 0) throw new AggregateError(failures, 'the platform did not stop cleanly')
  }

  #group(service: string): ServiceGroup {
    const found = this.#groups.find(({ name }) => name === service)
    if (found === undefined) throw new Error(`the platform runs no service "${service}"`)
    return found
  }

  #report(...[level, msg, fields]: Parameters<Report>): void {
    this.#options.onLog({ process: 'platform', level, timeMs: Date.now(), msg, fields })
  }
}

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const platform = new Platform(options)
  await platform.start()
  return platform
}
