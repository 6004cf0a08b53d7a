/**
 * The real servers that adapters are proven against. A kind is what a store's URL names; how a server of that kind is
 * come by (an URL in the environment, a container engine, a program on PATH, a package registry) is the same question
 * for all of them and is answered in `find-server.ts`.
 */
export const backendKinds = ['redis', 'postgres', 'cassandra', 'mongodb', 's3', 'dynamodb'] as const
export type BackendKind = (typeof backendKinds)[number]

export interface BackendOptions {
  /**
   * What survives what. `none`: nothing survives a restart for sure; `process`: an acknowledged write survives SIGKILL
   * of the server (the page cache keeps it); `disk`: it was fsynced before it was acknowledged. Default: `disk`.
   */
  readonly durability?: Durability
  /** Encrypted connections only; the authority to trust is `RunningBackend.ca`. */
  readonly tls?: boolean
  /**
   * What clients have to know, as the URL then says; at least 8 letters, digits, - and _. Default: PostgreSQL and S3 have
   * one of their own, the others let everybody in. The stand-ins for MongoDB and DynamoDB check none and refuse this.
   */
  readonly password?: string
  /** Default: a free one, kept over restarts. */
  readonly port?: number
  /**
   * Default: a temporary folder, removed when the backend is stopped. A given one is kept; it belongs to one server at a
   * time, and to the kind and password that it was made with.
   */
  readonly dataDir?: string
  /** Never in a container: for servers that have to reach one another under their URLs. */
  readonly asProcess?: boolean
  /** URL of a running server of the same kind to follow (redis, postgres). */
  readonly replicaOf?: string
  /** Makes the server a Sentinel that watches this primary (redis). */
  readonly sentinelOf?: Watched
  /** Makes the server one node of a cluster (cassandra). */
  readonly node?: ClusterNode
}

/** A primary that Sentinels watch under a name, and how many of them must agree that it is gone. */
export interface Watched {
  readonly url: string
  readonly name: string
  readonly quorum: number
}

/** All nodes of a cluster have the same ports and addresses of their own. */
export interface ClusterNode {
  readonly address: string
  readonly seed: string
  readonly storagePort: number
  /** A place on the ring, as a Murmur3 token. */
  readonly token: string
  readonly heapBytes: number
}

export const durabilities = ['none', 'process', 'disk'] as const
export type Durability = (typeof durabilities)[number]

/** How a server was come by, in the order of preference. */
export type Origin = 'environment' | 'container' | 'path' | 'registry'

export interface RunningBackend extends AsyncDisposable {
  readonly kind: BackendKind
  readonly url: string
  readonly version: string
  readonly origin: Origin
  /** From the first call to the first good answer of the server; 0 for one that ran already. */
  readonly readyAfterMs: number
  /** PEM of the authority that signed the server's certificate, with `tls`. */
  readonly ca?: string
  /** The same as a file, which is how the URLs of stores name it. */
  readonly caFile?: string
  /** What the server wrote, as a file; undefined for one that is not ours. */
  readonly logFile?: string
  /** The server's own process, when it is ours and not in a container. */
  readonly pid?: number | undefined
  /** What the server wrote so far; empty for one that is not ours. */
  logs(): Promise<string>
  /** Stops with the server's own signal (if it runs), starts again on the same data and port, and waits until ready. */
  restart(): Promise<void>
  /** SIGKILL to the server and all its processes, and waits for their end. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open, nothing answers. Rejects when it does not run. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Ends the server; a temporary data folder goes with it. Calling it again is harmless. */
  stop(): Promise<void>
}

/** No server of this kind can be had here. The message says why, and the one command that would make it so. */
export class BackendUnavailableError extends Error {
  override readonly name = 'BackendUnavailableError'
  readonly kind: BackendKind

  constructor(kind: BackendKind, reason: string) {
    super(`${kind}: ${reason}`)
    this.kind = kind
  }
}

/** A program that can be started as a server, with what it takes to start and to know it. */
export interface Launch {
  /** Words before the command that start it as another account and exec it. */
  readonly prefix?: readonly string[]
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly uid?: number
  readonly gid?: number
  readonly url: string
  readonly ca?: string
  /** Resolves when the server gives its first good answer; rejects on one that will not get better. */
  readonly ready: () => Promise<void>
  /** What ends it in good order. Default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals
}

/** A server that a container engine starts as its service of deploy/backends.compose.yaml. */
export interface ContainerLaunch {
  /** What the compose file leaves open. */
  readonly environment: Readonly<Record<string, string>>
  readonly url: string
  readonly ready: () => Promise<void>
}

export interface LaunchContext {
  readonly options: BackendOptions
  /** A folder of the server's own. */
  readonly folder: string
  readonly port: number
}

/** What one kind of backend knows about itself; one file per kind, named after it. */
export interface BackendDefinition {
  readonly kind: BackendKind
  /** Names a running server to use instead of starting one. */
  readonly variable: string
  /** How it is run in a container; `takes` names the options for which that is possible, besides `port` and `durability`. */
  readonly container: {
    readonly takes: readonly (keyof BackendOptions)[]
    launch(options: BackendOptions, port: number): ContainerLaunch
  }
  /**
   * Finds programs and libraries; rejects with `BackendUnavailableError` when they cannot be had here. Without `fetch`
   * nothing is downloaded or installed: it only looks whether that could be done.
   */
  find(fetch: boolean): Promise<Found>
}

export interface Found {
  readonly origin: 'path' | 'registry'
  readonly version: string
  /** It is still to be downloaded, which nobody has tried. */
  readonly isToBeFetched?: boolean
  launch(context: LaunchContext): Promise<Launch>
}
