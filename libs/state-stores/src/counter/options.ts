import type { TokenLimits } from './fold.ts'

export interface CounterStoreOptions {
  /** How long a token is kept. Default: 10 minutes, as DynamoDB keeps its client tokens. */
  readonly tokenWindowMs?: number
  /** How many tokens are kept at most. */
  readonly maxTokens?: number
  /** Unix ms. Default: the wall clock at start, carried on by the monotonic one, so that a leap forgets no token early. */
  readonly now?: () => number
}

export const steadyNow = (): number => Math.floor(performance.timeOrigin + performance.now())

export const tokenLimits = ({ tokenWindowMs = 600_000, maxTokens = 100_000 }: CounterStoreOptions): TokenLimits => ({
  tokenWindowMs,
  maxTokens,
})
