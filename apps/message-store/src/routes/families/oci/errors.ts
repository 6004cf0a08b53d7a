import { toProblem, type App, type Problem } from '@ballast/service'

/** Codes of the OCI distribution-spec for our problems. */
const codes: Readonly<Record<string, string>> = {
  'invalid-name': 'NAME_INVALID',
  'not-found': 'BLOB_UNKNOWN',
  'upload-unknown': 'BLOB_UPLOAD_UNKNOWN',
  'upload-busy': 'BLOB_UPLOAD_INVALID',
  'upload-offset': 'BLOB_UPLOAD_INVALID',
  'digest-mismatch': 'DIGEST_INVALID',
  'body-too-large': 'SIZE_INVALID',
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'DENIED',
  'method-not-allowed': 'UNSUPPORTED',
}

/** The clients ask for 400 where we say 422. */
const statuses: Readonly<Record<string, number>> = { 'digest-mismatch': 400 }

/** Errors in the form these clients read. A problem may bring a code of its own: `extensions.oci`. */
export function answerAsOci(app: App): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const problem = toProblem(error, request)
    if (problem.status >= 500) request.log.warn({ code: problem.code, err: error }, problem.message)
    return reply
      .code(statuses[problem.code] ?? problem.status)
      .headers(problem.headers)
      .type('application/json')
      .send(JSON.stringify({ errors: [{ code: codeOf(problem), message: problem.message, detail: problem.code }] }))
  })
}

function codeOf({ code, extensions }: Problem): string {
  const own = extensions['oci']
  return typeof own === 'string' ? own : (codes[code] ?? 'UNKNOWN')
}
