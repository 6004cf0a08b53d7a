import cluster, { type Worker } from 'node:cluster'
import { setTimeout as delay } from 'node:timers/promises'
import type { Metrics, Snapshot } from '@ballast/metrics'
import type { Logger } from 'pino'
import { metricName, PoolMetrics } from './pool-metrics.ts'
import { Peer } from './peer.ts'
import { workerVariable } from './worker.ts'
import { youngGenerationFlags } from './young-generation.ts'

export interface StartWorkers {
  readonly count: number
  /** Answers what workers ask with `primary.ask`; what it throws they get as one sentence. */
  readonly answer: (question: unknown, worker: string) => Promise<unknown>
  /** The most of each worker, in MB for one half (Node has two); Node decides by default. */
  readonly youngGenerationMb?: number
}

export interface PoolOptions extends StartWorkers {
  readonly service: string
  readonly log: Logger
  readonly metrics: Metrics
  /** Where all of them listen, `host:port`; a port that is free or theirs. */
  readonly listen: string
  /** Workers that have not ended so long after they were told to are killed. */
  readonly killAfterMs: number
}

/**
 * Processes that run the same command as this one and take connections from one listening socket, which they share: a
 * worker that stands still takes no new ones. Whoever dies is replaced; whoever dies young is replaced later each time.
 */
export class WorkerPool {
  readonly #options: PoolOptions
  readonly #peers = new Map<number, Peer>()
  readonly #metrics: PoolMetrics
  readonly #exits = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(options: PoolOptions) {
    this.#options = options
    this.#metrics = new PoolMetrics(options)
    options.metrics.addSource(() => this.#metrics.collect())
  }

  /** Resolves when all of them listen; rejects when one ends before it did. */
  async start(): Promise<void> {
    const { count, listen } = this.#options
    // Not round robin: that gives connections also to a worker that stands still.
    cluster.schedulingPolicy = cluster.SCHED_NONE
    const execArgv = [...process.execArgv, ...youngGenerationFlags(this.#options.youngGenerationMb)]
    cluster.setupPrimary({ serialization: 'advanced', execArgv, args: [...process.argv.slice(2), '--listen', listen] })
    await Promise.all(Array.from({ length: count }, (_, index) => this.#fork(String(index + 1))))
  }

  /** Tells all of them to drain and end, each in its own grace time. */
  stop(): void {
    this.#stopping.abort()
    for (const peer of this.#peers.values()) peer.ask('stop', undefined).catch(() => {})
  }

  /** Resolves when none is left. */
  async close(): Promise<void> {
    this.stop()
    const late = setTimeout(() => {
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL')
    }, this.#options.killAfterMs)
    await Promise.all(this.#exits)
    clearTimeout(late)
  }

  /** Resolves when it listens. */
  #fork(worker: string, attempt = 0): Promise<void> {
    const { log } = this.#options
    const startedMs = performance.now()
    const child = cluster.fork({ [workerVariable]: worker })
    const peer = this.#connect(child, worker)
    const { promise: listening, resolve, reject } = Promise.withResolvers<void>()
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    this.#exits.add(ended)
    child.once('listening', () => resolve())
    // Without a listener it would be thrown.
    child.on('error', (error) => log.warn({ err: error, worker }, 'a worker cannot be reached'))
    child.once('exit', (code, signal) => {
      this.#peers.delete(child.id)
      this.#metrics.leave(child.id)
      peer.fail(new Error('the worker has ended'))
      end()
      this.#exits.delete(ended)
      const isYoung = performance.now() - startedMs < 5_000
      reject(new Error(`worker ${worker} ended (${signal ?? `exit ${code}`}) before it could serve`))
      if (!this.#stopping.signal.aborted)
        void this.#replace(worker, child.process.pid, signal ?? code, isYoung ? attempt + 1 : 0)
    })
    return listening
  }

  #connect(child: Worker, worker: string): Peer {
    const { metrics, answer } = this.#options
    const peer = new Peer({
      send: (message) => void (child.isConnected() && child.send(message, undefined, () => {})),
      answer: async (topic, body) => {
        if (topic === 'question') return answer(body, worker)
        if (topic === 'push') return this.#metrics.push(child.id, toSnapshot(body))
        return metrics.exposition(typeof body === 'string' ? body : undefined)
      },
    })
    child.on('message', (message: unknown) => peer.receive(message))
    this.#peers.set(child.id, peer)
    this.#metrics.join(child.id, worker, async () => toSnapshot(await peer.ask('snapshot', undefined)))
    return peer
  }

  async #replace(worker: string, pid: number | undefined, reason: string | number, attempt: number): Promise<void> {
    const { log, metrics, service } = this.#options
    const afterMs = attempt < 2 ? 0 : Math.min(5_000, 50 * 2 ** attempt)
    log.error({ worker, pid, reason, afterMs }, 'a worker has ended; another one takes its place')
    metrics
      .counter({ name: metricName(service, 'worker_restarts_total'), help: 'Workers that ended and were replaced' })
      .inc()
    // Where all workers have died, nothing else keeps this process from ending.
    await delay(afterMs, undefined, { signal: this.#stopping.signal }).catch(() => {})
    if (!this.#stopping.signal.aborted) await this.#fork(worker, attempt).catch(() => {})
  }
}

/** Workers run the same program. */
function toSnapshot(body: unknown): Snapshot {
  return Array.isArray(body) ? body : []
}
