import cluster from 'node:cluster'
import type { Metrics } from '@ballast/metrics'
import type { Stopping } from '../process/stopping.ts'
import { Peer } from './peer.ts'

/** The process that started this one as a worker. */
export interface Primary {
  /** 1 to the number of workers; whoever takes the place of one that died has its number. */
  readonly worker: string
  /** Asks what it gave `startWorkers` as `answer`; rejects with its error as a sentence. */
  ask(question: unknown): Promise<unknown>
}

export const workerVariable = 'BALLAST_WORKER'

export interface Membership {
  readonly primary: Primary
  /** Its exposition is that of all processes. */
  readonly metrics: Metrics
  /** Hands over what was measured last. */
  leave(): Promise<void>
}

const pushEveryMs = 1_000

/** The worker's side of `startWorkers`; `undefined` in a process that is none. Ends with the primary (Node sees to it). */
export function joinPrimary(metrics: Metrics, stopping: Stopping): Membership | undefined {
  const { worker } = cluster
  if (worker === undefined) return undefined
  const peer = new Peer({
    send: (message) => void process.send?.(message, undefined, undefined, () => {}),
    answer: async (topic) => {
      if (topic === 'stop') return stopping.stop('told to stop by the primary')
      return metrics.snapshot()
    },
  })
  process.on('message', (message) => peer.receive(message))
  const push = async (): Promise<void> => void (await peer.ask('push', await metrics.counts()))
  // It fails with the primary, and so does this process.
  setInterval(() => void push().catch(() => {}), pushEveryMs).unref()
  const exposition = async (accept: string | undefined) => {
    const answer = await peer.ask('exposition', accept)
    if (!isExposition(answer)) throw new TypeError('the primary gave no exposition')
    return answer
  }
  return {
    primary: { worker: process.env[workerVariable] ?? '', ask: (question) => peer.ask('question', question) },
    metrics: { ...metrics, exposition },
    leave: push,
  }
}

function isExposition(answer: unknown): answer is { contentType: string; body: string } {
  return typeof answer === 'object' && answer !== null && 'contentType' in answer && 'body' in answer
}
