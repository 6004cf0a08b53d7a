import type { Metrics } from '@ballast/metrics'
import type { Service } from '@ballast/service'
import { isCounterName } from '@ballast/state-stores/counter'
import type { AttributedStore } from './attributed-store.ts'
import { BufferedAdditions, type BufferOptions, type LossReason } from './buffered-additions.ts'

const pattern = /^[A-Za-z0-9._:-]{1,128}(?:\/[A-Za-z0-9._:-]{0,128})?\*$/

/** `undefined` when no counter is buffered. Throws a sentence on a pattern that cannot match any. */
export function openBuffer(
  store: AttributedStore,
  options: Pick<BufferOptions, 'patterns' | 'flushIntervalMs'>,
  metrics: Metrics,
  log: Service<unknown>['log'],
): BufferedAdditions | undefined {
  const wrong = options.patterns.find((each) => !isCounterName(each) && !pattern.test(each))
  if (wrong !== undefined) {
    throw new Error(`"${wrong}" names no counters: write --buffered namespace/name, namespace/* or namespace/begin*`)
  }
  if (options.patterns.length === 0) return undefined
  const losses = metrics.counter({
    name: 'counter_buffered_additions_lost_total',
    help: 'Buffered additions that were answered 202 and are not counted, by reason',
    labelNames: ['reason'],
  })
  const lost = (additions: number, reason: LossReason): void => {
    losses.inc({ reason }, additions)
    log.warn({ additions, reason }, 'buffered additions are lost')
  }
  return new BufferedAdditions(store, { ...options, lost })
}
