import type { EmbeddedServer, OpenedStores, ProcessSpec, ServiceContext, ServiceDefinition } from './service.ts'
import { reasonOf, StartError } from './start-error.ts'
import { SupervisedProcess, type SupervisorOptions } from './supervised-process.ts'

export interface ServiceGroupOptions {
  readonly definition: ServiceDefinition
  readonly context: ServiceContext
  readonly graceMs: number
  readonly supervisor: Omit<SupervisorOptions, 'service' | 'spec' | 'env'>
}

/** The running processes of one service, and the embedded store under them. */
export class ServiceGroup {
  readonly #options: ServiceGroupOptions
  readonly #processes: SupervisedProcess[] = []
  #opening: Promise<OpenedStores | undefined> | undefined
  #env: Readonly<Record<string, string | undefined>>
  #main: SupervisedProcess | undefined
  #servers: readonly EmbeddedServer[] = []
  #stopping = false

  constructor(options: ServiceGroupOptions) {
    this.#options = options
    this.#env = options.context.env
  }

  get name(): string {
    return this.#options.definition.name
  }

  get processes(): readonly SupervisedProcess[] {
    return this.#processes
  }

  get servers(): readonly EmbeddedServer[] {
    return this.#servers
  }

  get url(): string | undefined {
    return this.#main?.url
  }

  get env(): Readonly<Record<string, string | undefined>> {
    return this.#env
  }

  /** Role after role: the consumer is there before the API takes writes, the control plane before its workers. */
  async start(): Promise<void> {
    const { definition } = this.#options
    this.#opening = this.#openStores()
    const stores = await this.#opening
    this.#servers = stores?.servers ?? []
    this.#env = { ...this.#env, ...stores?.env }
    const specs = definition.processes(this.#context())
    for (const [, ofRole] of Map.groupBy(specs, ({ role }) => role)) {
      await Promise.all(ofRole.map((spec) => this.#add(spec)))
    }
  }

  async setReplicas(count: number): Promise<void> {
    const { definition, graceMs } = this.#options
    const { replica } = definition
    if (replica === undefined) throw new Error(`${this.name} has no replicas`)
    const ordinals = Array.from({ length: Math.max(count, this.#processes.length) }, (_, ordinal) => ordinal)
    const specs = ordinals.map((ordinal) => replica(this.#context(), ordinal))
    const running = new Map(this.#processes.map((process) => [process.name, process]))
    await Promise.all(
      specs
        .slice(0, count)
        .filter(({ name }) => !running.has(name))
        .map((spec) => this.#add(spec)),
    )
    for (const { name } of specs.slice(count).toReversed()) {
      const process = running.get(name)
      if (process === undefined) continue
      await process.stop(graceMs)
      this.#processes.splice(this.#processes.indexOf(process), 1)
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true
    const roles = [...Map.groupBy(this.#processes, ({ role }) => role).values()]
    for (const ofRole of roles.toReversed()) {
      await Promise.all(ofRole.map((process) => process.stop(this.#options.graceMs)))
    }
    const stores = await this.#opening?.catch(() => undefined)
    await stores?.close()
  }

  kill(): void {
    this.#stopping = true
    for (const process of this.#processes) process.kill('SIGKILL')
  }

  async #openStores(): Promise<OpenedStores | undefined> {
    try {
      return await this.#options.definition.openStores?.(this.#options.context)
    } catch (error) {
      throw new StartError(`${this.name} cannot start: ${error instanceof Error ? error.message : reasonOf(error)}`, {
        cause: error,
      })
    }
  }

  async #add(spec: ProcessSpec): Promise<void> {
    if (this.#stopping) return
    const process = new SupervisedProcess({
      ...this.#options.supervisor,
      service: this.name,
      spec,
      env: this.#env,
    })
    this.#processes.push(process)
    if (spec.main) this.#main = process
    await process.firstReady
  }

  #context(): ServiceContext {
    return { ...this.#options.context, env: this.#env }
  }
}
