import type { Metrics } from '@ballast/metrics'
import { sentence, type Service } from '@ballast/service'
import type { FlusherObserver } from './flusher.ts'

/** Counts what a flusher does, and logs what goes wrong. */
export function flushMetrics(metrics: Metrics, log: Service<unknown>['log']): FlusherObserver {
  const commands = metrics.counter({
    name: 'load_tolerant_api_write_commands_total',
    help: 'write commands which the document store answered',
  })
  const documents = metrics.counter({
    name: 'load_tolerant_api_documents_total',
    help: 'documents by what the store said: inserted, exists, conflict, invalid, refused (tried again)',
    labelNames: ['outcome'],
  })
  const documentsPerCommand = metrics.histogram({
    name: 'load_tolerant_api_command_documents',
    help: 'documents in one write command',
    buckets: [1, 5, 25, 100, 500, 1000, 2500, 5000, 10_000, 20_000],
  })
  const flushSeconds = metrics.histogram({
    name: 'load_tolerant_api_flush_seconds',
    help: 'duration of one write command',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
  })
  const dead = metrics.counter({
    name: 'load_tolerant_api_dead_documents_total',
    help: 'documents put among the dead letters',
  })
  const lostClaims = metrics.counter({
    name: 'load_tolerant_api_lost_claims_total',
    help: 'entries that another consumer settled because this one was silent for longer than the claim time-out',
  })
  const failures = metrics.counter({
    name: 'load_tolerant_api_flush_failures_total',
    help: 'rounds that ended with an error of a store',
  })
  return {
    command(count, outcomes, durationMs) {
      commands.inc()
      documentsPerCommand.observe(count)
      flushSeconds.observe(durationMs / 1000)
      const counts = new Map<string, number>()
      for (const { outcome } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
      for (const [outcome, number] of counts) documents.inc({ outcome }, number)
      const refused = outcomes.find((outcome) => outcome.outcome === 'refused')
      if (refused === undefined) return
      log.warn(
        { documents: counts.get('refused'), reason: refused.reason },
        'refused documents are tried again beside the next',
      )
    },
    settled(_documents, deadDocuments) {
      if (deadDocuments === 0) return
      dead.inc(deadDocuments)
      log.warn({ documents: deadDocuments }, 'documents were put among the dead letters')
    },
    notOwner(entries) {
      lostClaims.inc(entries)
      log.warn({ entries }, 'entries were settled by another consumer; raise the claim time-out if this is common')
    },
    failed(error, inARow, retryInMs) {
      failures.inc()
      log.error({ err: error, failures: inARow, retryInMs }, `round failed: ${sentence(error)}`)
    },
  }
}

/** Counts and logs entries that wait for a consumer of a newer release. */
export function observeParked(metrics: Metrics, log: Service<unknown>['log']): (entries: number) => void {
  const parked = metrics.counter({
    name: 'load_tolerant_api_parked_entries_total',
    help: 'times that an entry in the format of a newer release was left alone for a claim time-out',
  })
  return (entries) => {
    parked.inc(entries)
    log.warn({ entries }, 'entries of a newer release wait for a consumer of that release; start one, the others go on')
  }
}

/** Counts and logs entries which another program removed from the queue before their documents were stored. */
export function observeLosses(metrics: Metrics, log: Service<unknown>['log']): (entries: number) => void {
  const lost = metrics.counter({
    name: 'load_tolerant_api_lost_entries_total',
    help: 'entries of the queue which another program removed before they were acknowledged: their documents are lost',
  })
  return (entries) => {
    lost.inc(entries)
    log.error({ entries }, 'entries are gone from the queue: another program trims or deletes it (XTRIM, XDEL, MAXLEN)')
  }
}
