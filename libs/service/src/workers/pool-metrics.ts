import { setTimeout as delay } from 'node:timers/promises'
import { cumulative, gauges, labelGauges, mergeSnapshots, type MetricSnapshot, type Snapshot } from '@ballast/metrics'

export interface PoolMetricsOptions {
  readonly service: string
  /** How long a scrape waits for workers. */
  readonly waitMs?: number
}

interface Member {
  readonly worker: string
  readonly ask: () => Promise<Snapshot>
  last: Snapshot
  /** A question it has not answered yet. */
  asking: Promise<void> | undefined
}

/**
 * What all workers of a process have measured, also those that have ended: a counter never goes down. Each pushes what
 * it has counted once a second and is asked for all at a scrape; one that does not answer is waited for `waitMs`, once, and told of in
 * the gauge `<service>_workers{state="unresponsive"}`. What one measured after its last push is lost when it is killed.
 */
export class PoolMetrics {
  readonly #members = new Map<number, Member>()
  readonly #service: string
  readonly #waitMs: number
  #ended: Snapshot = []

  constructor({ service, waitMs = 500 }: PoolMetricsOptions) {
    this.#service = service
    this.#waitMs = waitMs
  }

  join(id: number, worker: string, ask: () => Promise<Snapshot>): void {
    this.#members.set(id, { worker, ask, last: [], asking: undefined })
  }

  push(id: number, counts: Snapshot): void {
    const member = this.#members.get(id)
    if (member !== undefined) member.last = [...counts, ...gauges(member.last)]
  }

  leave(id: number): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    this.#members.delete(id)
    this.#ended = mergeSnapshots([this.#ended, cumulative(member.last)])
  }

  async collect(): Promise<Snapshot> {
    const asked = [...this.#members.values()].filter(({ asking }) => asking === undefined)
    const timer = new AbortController()
    const answers = Promise.all(asked.map((member) => this.#ask(member)))
    await Promise.race([answers, delay(this.#waitMs, undefined, { signal: timer.signal }).catch(() => {})])
    timer.abort()
    const live = [...this.#members.values()].map(({ worker, last }) => labelGauges(last, { worker }))
    return mergeSnapshots([this.#ended, ...live, [this.#states()]])
  }

  #ask(member: Member): Promise<void> {
    return (member.asking = this.#answered(member))
  }

  async #answered(member: Member): Promise<void> {
    try {
      member.last = await member.ask()
    } catch {
      // It is about to leave.
    }
    member.asking = undefined
  }

  #states(): MetricSnapshot {
    const states = { running: 0, unresponsive: 0 }
    for (const { asking } of this.#members.values()) states[asking === undefined ? 'running' : 'unresponsive'] += 1
    const values = Object.entries(states).map(([state, value]) => ({
      labels: { service: this.#service, state },
      value,
    }))
    return { name: metricName(this.#service, 'workers'), help: 'Worker processes, by state', type: 'gauge', values }
  }
}

export const metricName = (service: string, rest: string): string => `${service.replaceAll('-', '_')}_${rest}`
