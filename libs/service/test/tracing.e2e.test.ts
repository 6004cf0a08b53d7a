import { once } from 'node:events'
import { createServer } from 'node:http'
import { freePort, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startFixture } from './start-fixture.ts'

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly attributes: readonly { readonly key: string; readonly value: object }[]
}

const traceId = '0af7651916cd43dd8448eb211c80319c'
const caller = 'b7ad6b7169203331'

test('spans go to the collector, under the trace of the caller, the last ones while stopping', async () => {
  const spans: Span[] = []
  const resources: string[] = []
  await using collector = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(text)
      resources.push(`${request.url} ${JSON.stringify(resourceSpans[0].resource.attributes)}`)
      spans.push(...resourceSpans[0].scopeSpans[0].spans)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const address = collector.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await using fixture = startFixture(['--trace-sample-percent', '0'], {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  })
  const url = await fixture.url()
  await fetch(`${url}/public`)
  const traceparent = `00-${traceId}-${caller}-01`
  const answer = await fetch(`${url}/slow?ms=5`, { headers: { traceparent, 'x-request-id': 'order-7' } })
  expect(answer.headers.get('x-request-id')).toBe('order-7')
  const [, sameTrace, spanId, flags] = answer.headers.get('traceparent')?.split('-') ?? []
  expect([sameTrace, flags]).toEqual([traceId, '01'])
  const openMetrics = await fetch(`${url}/metrics`, {
    headers: { accept: 'application/openmetrics-text; version=1.0.0' },
  })
  expect(await openMetrics.text()).toMatch(
    new RegExp(`route="/slow",status="200"} 1 # {trace_id="${traceId}"} 0\\.\\d+`),
  )
  fixture.kill('SIGTERM')
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
  expect(spans).toHaveLength(1)
  expect(spans[0]).toMatchObject({ traceId, spanId, parentSpanId: caller, name: 'GET /slow', kind: 2 })
  expect(spans[0]?.attributes).toContainEqual({ key: 'http.response.status_code', value: { intValue: 200 } })
  expect(resources[0]).toMatch(/^\/v1\/traces .*"service\.name","value":\{"stringValue":"fixture"\}/)
})

test('a collector that is not there costs a warning, nothing else', async () => {
  await using fixture = startFixture(['--otlp-endpoint', `http://127.0.0.1:${await freePort()}`, '--grace-ms', '3000'])
  const url = await fixture.url()
  expect((await fetch(`${url}/public`)).status).toBe(200)
  await waitUntil(() => fixture.stdout.some((line) => line.includes('"msg":"traces: ')))
  expect((await fetch(`${url}/public`)).status).toBe(200)
  fixture.kill('SIGTERM')
  await expect(fixture.exit).resolves.toEqual({ code: 0, signal: null })
})

test('every line of a request carries its ids', async () => {
  await using fixture = startFixture([])
  const url = await fixture.url()
  const answer = await fetch(`${url}/bug`, { headers: { traceparent: `00-${traceId}-${caller}-00` } })
  const line = JSON.parse(await fixture.waitForLine(/secret internals/))
  expect(line).toMatchObject({ level: 'error', traceId, requestId: traceId, code: 'internal', url: '/bug' })
  expect(line.err.stack).toContain('app.ts')
  const body = await answer.text()
  expect(body).not.toContain('secret internals')
  expect(JSON.parse(body)).toMatchObject({ status: 500, code: 'internal', traceId })
})
