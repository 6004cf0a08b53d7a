/** One row of an error table. `code` is the key: stable, part of the contract, what clients switch on. */
export interface ProblemType {
  readonly status: number
  /** The same sentence for every occurrence. */
  readonly title: string
}

export interface ProblemDetails {
  /** Further members of the body: `{ errors: [...] }`, `{ retryAfterMs: 250 }`. */
  readonly extensions?: Readonly<Record<string, unknown>>
  /** Headers of the answer: `{ 'retry-after': '1' }`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** An error that is an answer: RFC 9457 problem+json. Throw it from a handler or hook. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: string
  readonly status: number
  readonly title: string
  readonly extensions: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: string,
    type: ProblemType,
    detail: string,
    { extensions = {}, headers = {}, cause }: ProblemDetails = {},
  ) {
    super(detail, cause === undefined ? undefined : { cause })
    this.code = code
    this.status = type.status
    this.title = type.title
    this.extensions = extensions
    this.headers = headers
  }

  /** The body. `type` is a URN, because the code is the identifier and no page at a fixed host could be promised. */
  body(instance?: string, traceId?: string): Readonly<Record<string, unknown>> {
    return {
      type: `urn:ballast:problem:${this.code}`,
      title: this.title,
      status: this.status,
      detail: this.message,
      code: this.code,
      ...(instance === undefined ? {} : { instance }),
      ...(traceId === undefined ? {} : { traceId }),
      ...this.extensions,
    }
  }
}

export interface ProblemTable<C extends string = string> {
  readonly types: Readonly<Record<C, ProblemType>>
  /** `detail` says what is wrong this time and what to do about it. */
  create(code: C, detail: string, details?: ProblemDetails): Problem
}

/** The error table of an app: documents and tests are checked against `types`. */
export function defineProblems<const C extends string>(types: Readonly<Record<C, ProblemType>>): ProblemTable<C> {
  return { types, create: (code, detail, details) => new Problem(code, types[code], detail, details) }
}
