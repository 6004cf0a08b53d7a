import type { IncomingMessage } from 'node:http'
import { enterTrace, type TraceContext } from '../tracing/trace-context.ts'

const trace = Symbol('trace')

/** A raw request that carries its trace: it exists before Fastify's request does, and the request id comes from it. */
export interface TracedMessage extends IncomingMessage {
  [trace]?: TraceContext
}

/** Enters the trace that the headers name; returns the caller's request id if it is sane, else the trace id. */
export function admit(raw: TracedMessage, sampleNew: () => boolean): string {
  const { headers } = raw
  const traceparent = headers['traceparent']
  const tracestate = headers['tracestate']
  const entered = enterTrace(
    typeof traceparent === 'string' ? traceparent : undefined,
    typeof tracestate === 'string' ? tracestate : undefined,
    sampleNew,
  )
  raw[trace] = entered
  const requestId = headers['x-request-id']
  return typeof requestId === 'string' && /^[\w.:/+=-]{1,128}$/.test(requestId) ? requestId : entered.traceId
}

export function traceOf(raw: TracedMessage): TraceContext {
  return (raw[trace] ??= enterTrace(undefined, undefined, () => false))
}
