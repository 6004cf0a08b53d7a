import fc from 'fast-check'
import { expect, test } from 'vitest'
import { childOf, enterTrace, traceHeaders, traceparentOf } from './trace-context.ts'
import { noTracer, startSpan, type FinishedSpan } from './tracer.ts'

const never = () => false
const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

test('a valid traceparent is entered: same trace, new span, the caller decides about sampling', () => {
  const trace = enterTrace(`00-${traceId}-${spanId}-01`, 'vendor=1', never)
  expect(trace).toMatchObject({ traceId, parentSpanId: spanId, sampled: true, tracestate: 'vendor=1' })
  expect(trace.spanId).toMatch(/^(?!b7ad6b7169203331)[0-9a-f]{16}$/)
  expect(traceHeaders(trace)).toEqual({ traceparent: `00-${traceId}-${trace.spanId}-01`, tracestate: 'vendor=1' })
  expect(enterTrace(`cc-${traceId}-${spanId}-00-later-fields`, undefined, never)).toMatchObject({
    traceId,
    sampled: false,
  })
})

test.each([
  undefined,
  '',
  'nonsense',
  `00-${traceId}-${spanId}`,
  `ff-${traceId}-${spanId}-01`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${traceId}-${spanId}-01-more`,
])('traceparent %s starts a new trace', (traceparent) => {
  const trace = enterTrace(traceparent, 'vendor=1', () => true)
  expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(trace).toMatchObject({ parentSpanId: undefined, sampled: true, tracestate: undefined })
  expect(trace.traceId).not.toBe(traceId)
})

test('whatever comes in, what goes out is a valid traceparent', () => {
  fc.assert(
    fc.property(fc.string(), (traceparent) => {
      expect(traceparentOf(enterTrace(traceparent, undefined, never))).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    }),
  )
})

test('ids do not repeat, also across refills of the pool', () => {
  const ids = Array.from({ length: 2_000 }, () => enterTrace(undefined, undefined, never).traceId)
  expect(new Set(ids).size).toBe(2_000)
})

test('a span inside a request is recorded under it, only when the trace is', () => {
  const spans: FinishedSpan[] = []
  const tracer = { ...noTracer, record: (span: FinishedSpan) => void spans.push(span) }
  const sampled = enterTrace(`00-${traceId}-${spanId}-01`, undefined, never)
  {
    using commit = startSpan(tracer, sampled, 'commit', { items: 3 })
    commit.fail()
    using unseen = startSpan(tracer, { ...sampled, sampled: false }, 'unseen')
    expect(unseen.trace.parentSpanId).toBe(sampled.spanId)
  }
  expect(spans).toEqual([
    expect.objectContaining({ name: 'commit', kind: 'internal', failed: true, attributes: { items: 3 } }),
  ])
  expect(spans[0]?.trace).toEqual({ ...childOf(sampled), spanId: spans[0]?.trace.spanId })
})
