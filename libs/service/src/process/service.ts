import type { Metrics } from '@ballast/metrics'
import type { Logger } from 'pino'
import type { Health } from '../health.ts'
import type { App } from '../http/app.ts'
import type { Tracer } from '../tracing/tracer.ts'
import type { ServerOptions } from '../http/server-options.ts'
import type { StartWorkers } from '../workers/pool.ts'
import type { Primary } from '../workers/worker.ts'

/** What a command is given: its configuration and the one process it runs in. */
export interface Service<C> {
  readonly config: C
  /** In a process that `startWorkers` has started: the one that did. Its metrics are those of all. */
  readonly primary: Primary | undefined
  /** Words after the flags. */
  readonly operands: readonly string[]
  readonly log: Logger
  readonly metrics: Metrics
  readonly health: Health
  /** Aborted by SIGTERM or SIGINT: end long answers and loops; what is in flight may finish. */
  readonly stopping: AbortSignal
  /** For `startSpan`. */
  readonly tracer: Tracer
  /** For `buildServer`. */
  readonly serverOptions: ServerOptions
  /**
   * Called while stopping, after HTTP has drained, in reverse order of registration; also when the start fails later on.
   * All of them together have until the grace time is over.
   */
  onClose(name: string, close: () => unknown): void
  /** Something broke that this process cannot outlive (a lost lock): it drains, closes and exits with 1. */
  fail(error: unknown): void
  /** Called on SIGHUP. */
  onReload(name: string, reload: () => unknown): void
  /** Listens at the configured address and turns /readyz on. Rejects when the address is taken or must not be open to all. */
  listen(app: Served): Promise<string>
  /**
   * Instead of `listen`: as many processes that run this same command, each of which then has `primary`, and listens. They
   * share one address; this process serves their questions, and the metrics of all. Resolves when all of them listen.
   */
  startWorkers(options: StartWorkers): Promise<void>
}

export type Served = Pick<App, 'ready' | 'close' | 'server' | 'log' | 'openRequests' | 'cutUnreceived'>
