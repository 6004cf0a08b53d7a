import { setTimeout as delay } from 'node:timers/promises'
import { diag, SpanKind, SpanStatusCode, TraceFlags, type HrTime, type SpanContext } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace'
import type { FastifyBaseLogger } from 'fastify'
import { sentence } from '../process/sentence.ts'
import type { TraceContext } from './trace-context.ts'
import type { FinishedSpan, Tracer } from './tracer.ts'

export interface OtlpOptions {
  /** Base URL of a collector, as in OTEL_EXPORTER_OTLP_ENDPOINT: `http://collector:4318`. */
  readonly endpoint: string
  readonly service: string
  readonly version: string
  /** Of the traces that begin here, this many in a hundred are recorded. */
  readonly samplePercent: number
  readonly log: Pick<FastifyBaseLogger, 'warn'>
  readonly random?: () => number
}

const closeWithinMs = 1_500

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL }

/**
 * Sends finished spans in batches by OTLP over HTTP. Spans are handed over whole when they end, so that a request that
 * is not sampled costs one random number. Own file: the OpenTelemetry packages are loaded only when an endpoint is set.
 */
export function createOtlpTracer(options: OtlpOptions): Tracer {
  const { endpoint, service, version, samplePercent, log, random = Math.random } = options
  const warn = (message: string): void => log.warn({ endpoint }, `traces: ${message}`)
  diag.setLogger({ error: warn, warn, info: () => {}, debug: () => {}, verbose: () => {} })
  const base = endpoint.replace(/\/+$/, '')
  const exporter = new OTLPTraceExporter({
    url: base.endsWith('/v1/traces') ? base : `${base}/v1/traces`,
    timeoutMillis: 5_000,
  })
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: 8_192,
    maxExportBatchSize: 1_024,
    scheduledDelayMillis: 1_000,
  })
  const resource = resourceFromAttributes({ 'service.name': service, 'service.version': version })
  return {
    sample: () => random() * 100 < samplePercent,
    record: (span) => processor.onEnd(readable(span, resource)),
    async close() {
      // Retries against a collector that is gone must not eat the grace time of the stores.
      const sent = processor.shutdown().catch((error: unknown) => warn(sentence(error)))
      await Promise.race([sent, delay(closeWithinMs)])
    },
  }
}

function readable(span: FinishedSpan, resource: ReadableSpan['resource']): ReadableSpan {
  const { name, kind, trace, startMs, endMs, attributes, failed } = span
  const context = contextOf(trace, trace.spanId, false)
  const parent = trace.parentSpanId
  return {
    name,
    kind: kinds[kind],
    spanContext: () => context,
    ...(parent === undefined ? {} : { parentSpanContext: contextOf(trace, parent, kind === 'server') }),
    startTime: hrTime(startMs),
    endTime: hrTime(endMs),
    duration: hrTime(endMs - startMs),
    ended: true,
    status: { code: failed ? SpanStatusCode.ERROR : SpanStatusCode.UNSET },
    attributes: { ...attributes },
    links: [],
    events: [],
    resource,
    instrumentationScope: { name: '@ballast/service' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function contextOf({ traceId, sampled }: TraceContext, spanId: string, isRemote: boolean): SpanContext {
  return { traceId, spanId, isRemote, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE }
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)]
}
