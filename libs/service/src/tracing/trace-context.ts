import { randomFillSync } from 'node:crypto'

/** Where a piece of work belongs: W3C Trace Context, https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  /** 32 lower-case hex digits. */
  readonly traceId: string
  /** 16 lower-case hex digits: this piece of work. */
  readonly spanId: string
  /** The caller's piece of work. */
  readonly parentSpanId: string | undefined
  /** Whether anyone records this trace. */
  readonly sampled: boolean
  /** The caller's vendor data, passed on as it came. */
  readonly tracestate: string | undefined
}

const format = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const zeroTraceId = '0'.repeat(32)
const zeroSpanId = '0'.repeat(16)

/** A new piece of work under `traceparent`, or a new trace when there is none or it is invalid (as the standard asks). */
export function enterTrace(
  traceparent: string | undefined,
  tracestate: string | undefined,
  sampleNew: () => boolean,
): TraceContext {
  if (traceparent === undefined) return newTrace(sampleNew)
  const match = format.exec(traceparent)
  const [, version, traceId = zeroTraceId, parentSpanId = zeroSpanId, flags = '00', rest] = match ?? []
  const valid = version !== 'ff' && traceId !== zeroTraceId && parentSpanId !== zeroSpanId
  // Version 00 has exactly four fields; later versions may append.
  if (!valid || (version === '00' && rest !== undefined)) return newTrace(sampleNew)
  const sampled = (Number.parseInt(flags, 16) & 1) === 1
  return { traceId, spanId: randomHex(8), parentSpanId, sampled, tracestate }
}

function newTrace(sampleNew: () => boolean): TraceContext {
  const ids = randomHex(24)
  const [traceId, spanId] = [ids.slice(0, 32), ids.slice(32)]
  return { traceId, spanId, parentSpanId: undefined, sampled: sampleNew(), tracestate: undefined }
}

/** A piece of work inside `parent`. */
export function childOf(parent: TraceContext): TraceContext {
  return { ...parent, spanId: randomHex(8), parentSpanId: parent.spanId }
}

export function traceparentOf({ traceId, spanId, sampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** Headers for a request that is made on behalf of `trace`. */
export function traceHeaders(trace: TraceContext): Record<string, string> {
  const traceparent = traceparentOf(trace)
  return trace.tracestate === undefined ? { traceparent } : { traceparent, tracestate: trace.tracestate }
}

// One system call for some 170 requests: asking the kernel for 8 bytes each time costs more than the rest of the hook.
const pool = Buffer.alloc(4_096)
let used = pool.length

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const from = used
  used += bytes
  return pool.toString('hex', from, used)
}
