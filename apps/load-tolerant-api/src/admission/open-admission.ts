import type { Metrics } from '@ballast/metrics'
import { maxGroups } from '../writer.ts'
import { Admission } from './admission.ts'
import { GradientLimit } from './gradient-limit.ts'

/**
 * The door in front of the queue, with its gauges. At least half of what one append takes may be inside at once, or
 * appends would become many small ones just when the queue is slow.
 */
export function openAdmission(config: { maxInFlight: number; maxWaitMs: number }, metrics: Metrics): Admission {
  const max = config.maxInFlight
  const limit = new GradientLimit({ initial: maxGroups, min: Math.min(max, maxGroups / 2), max })
  const admission = new Admission({ limit, maxRequests: max, deadlineMs: config.maxWaitMs })
  metrics.gauge({
    name: 'load_tolerant_api_writing_requests',
    help: 'requests that were let in to write',
    collect() {
      this.set(admission.inside)
    },
  })
  metrics.gauge({
    name: 'load_tolerant_api_waiting_requests',
    help: 'requests that wait for their turn to write',
    collect() {
      this.set(admission.waiting)
    },
  })
  metrics.gauge({
    name: 'load_tolerant_api_writing_requests_limit',
    help: 'requests that may write at once, from their latency',
    collect() {
      this.set(limit.limit)
    },
  })
  return admission
}
