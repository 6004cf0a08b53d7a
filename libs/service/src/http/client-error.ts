import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { HttpServerMetrics } from '@ballast/metrics'
import { serviceProblems } from '../service-problems.ts'

type Code = keyof typeof serviceProblems.types

const codes: Readonly<Record<string, Code>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'body-too-large',
}

const details: Partial<Record<Code, string>> = {
  'request-timeout': 'The request did not arrive whole in time; the connection is closed.',
  'headers-too-large': 'Request line and headers together may have 16 KiB.',
  'body-too-large': 'The chunk extensions are too large.',
}

/** Answers what never became a request (no HTTP, headers too big, too slow) and closes the connection: nothing after it can be trusted. */
export function answerClientError(
  error: Error & { code?: string },
  socket: Socket,
  { malformed }: HttpServerMetrics,
): void {
  const code = codes[error.code ?? ''] ?? 'malformed-request'
  malformed.inc({ reason: error.code === 'ECONNRESET' ? 'reset' : code })
  // A socket that is gone, or one on which an answer is already under way, takes no second answer.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
    socket.destroy()
    return
  }
  const problem = serviceProblems.create(
    code,
    details[code] ?? 'What arrived is not valid HTTP/1.1; the connection is closed.',
  )
  const body = JSON.stringify(problem.body())
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${problem.title}`,
      'content-type: application/problem+json',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

/** Node alone answers an unknown `Expect` with an empty 417. */
export function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const detail = `Only "Expect: 100-continue" is met here, not ${JSON.stringify(request.headers.expect)}.`
  const body = JSON.stringify(serviceProblems.create('expectation-failed', detail).body())
  response.writeHead(417, { 'content-type': 'application/problem+json', connection: 'close' }).end(body)
}
