import { defineProblems } from './problems.ts'

/** Problems that every service can answer, whatever it does. */
export const serviceProblems = defineProblems({
  'malformed-request': { status: 400, title: 'The request is not valid HTTP' },
  'malformed-url': { status: 400, title: 'The URL cannot be decoded' },
  'malformed-body': { status: 400, title: 'The body is not what its content type says' },
  'invalid-request': { status: 400, title: 'The request does not match the schema of this route' },
  unauthenticated: { status: 401, title: 'This route needs credentials' },
  forbidden: { status: 403, title: 'The credentials do not reach this far' },
  'not-found': { status: 404, title: 'There is nothing at this URL' },
  'method-not-allowed': { status: 405, title: 'This URL does not take this method' },
  'request-timeout': { status: 408, title: 'The request did not arrive in time' },
  'body-too-large': { status: 413, title: 'The body is larger than this route takes' },
  'url-too-long': { status: 414, title: 'A part of the URL is longer than this service takes' },
  'unsupported-media-type': { status: 415, title: 'This route does not take this content type' },
  'expectation-failed': { status: 417, title: 'The Expect header names something this service does not do' },
  'headers-too-large': { status: 431, title: 'The headers are larger than this service takes' },
  internal: { status: 500, title: 'Something broke that is not your fault' },
  'handler-timeout': { status: 503, title: 'The answer was not ready in time' },
})
