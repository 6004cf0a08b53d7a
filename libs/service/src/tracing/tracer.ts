import { childOf, type TraceContext } from './trace-context.ts'

export interface FinishedSpan {
  readonly name: string
  readonly kind: 'server' | 'client' | 'internal'
  readonly trace: TraceContext
  readonly startMs: number
  readonly endMs: number
  readonly attributes: Readonly<Record<string, string | number | boolean>>
  readonly failed: boolean
}

/** Decides which traces are recorded, and takes what was recorded. */
export interface Tracer {
  /** For a trace that begins here; a caller's decision is followed. */
  sample(): boolean
  /** Never blocks, never throws; a full queue drops spans. */
  record(span: FinishedSpan): void
  /** Sends what is queued. */
  close(): Promise<void>
}

/** Trace ids go through headers and logs all the same; nothing is recorded. */
export const noTracer: Tracer = { sample: () => false, record: () => {}, close: async () => {} }

/** A piece of work inside a request: `using span = startSpan(tracer, request.trace, 'commit')`. Costs next to nothing when the trace is not recorded. */
export interface Span extends Disposable {
  /** For work inside this one, and for `traceHeaders`. */
  readonly trace: TraceContext
  fail(): void
}

export function startSpan(
  tracer: Tracer,
  parent: TraceContext,
  name: string,
  attributes: FinishedSpan['attributes'] = {},
  kind: FinishedSpan['kind'] = 'internal',
): Span {
  const trace = childOf(parent)
  const startMs = performance.timeOrigin + performance.now()
  let failed = false
  return {
    trace,
    fail: () => {
      failed = true
    },
    [Symbol.dispose]() {
      const endMs = performance.timeOrigin + performance.now()
      if (trace.sampled) tracer.record({ name, kind, trace, startMs, endMs, attributes, failed })
    },
  }
}
