/**
 * A closed-loop load, unless a rate is given: every connection sends its next request as soon as it has read the answer to the last one.
 * `{unique}` in path, header values or body becomes 16 characters that no other request of this process has.
 */
export interface LoadOptions {
  /** Origin, http or https. */
  readonly url: string
  /** PEM to trust for https. */
  readonly ca?: string
  readonly connections: number
  /**
   * Requests a second at fixed times, whether answers come or not (an open loop, spread over the connections). A latency then
   * counts from the time at which its request was due, so that a server that stands still is not asked less (coordinated omission).
   */
  readonly ratePerSecond?: number
  readonly durationMs: number
  /** Answers in this time at the start are checked but not counted. */
  readonly warmUpMs?: number
  readonly request: RequestTemplate
  /** Writes the strings in this array member of every 2xx JSON answer to a file, one a line, in quotes if wanted. */
  readonly collect?: { readonly key: string; readonly file: string; readonly quoted?: boolean }
}

export interface RequestTemplate {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface LoadResult {
  /** 2xx answers after the warm-up, and how many that is a second. */
  readonly requests: number
  readonly perSecond: number
  /** Answers that were not 2xx, by status, warm-up included. */
  readonly refused: Readonly<Record<number, number>>
  /** Requests whose connection broke before the answer, by reason. */
  readonly broken: Readonly<Record<string, number>>
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number }
  /** Strings written by `collect`, warm-up included. */
  readonly collected: number
}

export const failures = ({ refused, broken }: LoadResult): number =>
  [...Object.values(refused), ...Object.values(broken)].reduce((sum, count) => sum + count, 0)
