export type Report = (level: 'info' | 'warn', msg: string, fields: Readonly<Record<string, unknown>>) => void

/** One process of a service, as the platform starts it. */
export interface ProcessSpec {
  /** Unique in the platform: "counter", "worker-0". */
  readonly name: string
  /** Processes of one role stop together; the roles of a service stop in reverse order of declaration. */
  readonly role: string
  /** Command line after `node`. */
  readonly args: readonly string[]
  /** Added to the environment of the platform. */
  readonly env?: Readonly<Record<string, string>>
  /** Its URL is the URL of the service. */
  readonly main?: boolean
}

export interface ServiceContext {
  /** Folder of this service alone; exists. */
  readonly dataDir: string
  /** 0 lets the system choose. */
  readonly port: number
  /** The environment that the processes will see, store URLs included. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** How many processes of `replica` start with the platform. */
  readonly replicas: number
  /** Says something in the log of the platform. */
  readonly report: Report
}

/** A server that the platform runs below a service, for who wants to see what becomes of it without. */
export interface EmbeddedServer {
  /** Unique in the platform, as the names of processes are. */
  readonly name: string
  /** Undefined while it does not run. */
  readonly pid: number | undefined
  readonly restarts: number
  /** Reaches all processes of it. */
  signal(signal: NodeJS.Signals): Promise<void>
}

export interface OpenedStores {
  /** Added to the environment of the service's processes. */
  readonly env: Readonly<Record<string, string>>
  readonly servers?: readonly EmbeddedServer[]
  /** Called after the last process of the service has ended. */
  close(): Promise<void>
}

/** One service = one file in services/. */
export interface ServiceDefinition {
  readonly name: string
  /** Added to the port base. */
  readonly portOffset: number
  /** The environment variables that name its stores, for the help text. */
  readonly storeVariables: readonly string[]
  /** Starts what must run before the processes do, such as an embedded database; not called when it is not needed. */
  openStores?(context: ServiceContext): Promise<OpenedStores>
  /** In start order. */
  processes(context: ServiceContext): readonly ProcessSpec[]
  /** The process that the platform can add and remove while it runs; ordinals count from 0. */
  readonly replica?: (context: ServiceContext, ordinal: number) => ProcessSpec
}
