import type { LeaseTiming } from './port.ts'

export type FullTiming = Required<Pick<LeaseTiming, 'ttlMs' | 'renewDeadlineMs' | 'retryPeriodMs'>>

/** Fills in the defaults, in the proportions of client-go (15, 10 and 2 s); throws one sentence when they contradict. */
export function checkTiming({
  ttlMs,
  renewDeadlineMs = (ttlMs * 2) / 3,
  retryPeriodMs = (ttlMs * 2) / 15,
}: LeaseTiming): FullTiming {
  if (!(ttlMs > 0 && ttlMs <= 86_400_000)) throw new TypeError(`a lease of ${ttlMs} ms cannot be: use up to one day`)
  if (!(renewDeadlineMs < ttlMs)) {
    throw new TypeError(`renewDeadlineMs (${renewDeadlineMs}) must be below ttlMs (${ttlMs}): work needs time to end`)
  }
  if (!(retryPeriodMs > 0 && retryPeriodMs * 1.2 < renewDeadlineMs)) {
    throw new TypeError(`retryPeriodMs (${retryPeriodMs}) must be well below renewDeadlineMs (${renewDeadlineMs})`)
  }
  return { ttlMs, renewDeadlineMs, retryPeriodMs }
}

/** Two unanswered renewals fit before the deadline. */
export const callTimeoutMs = ({ renewDeadlineMs }: FullTiming): number => Math.ceil(renewDeadlineMs / 2)
