import { sentence } from './process/sentence.ts'

/** An error as a member of a log line. */
export interface LoggedError {
  readonly type: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
}

/**
 * The stack is for what nobody foresaw. An error with a class of its own, or one of the operating system, was foreseen: its
 * sentence says what the matter is, and a stack with each refused request would bury it. (pino's own serializer joins the
 * messages and stacks of all causes, which repeats each of them where messages end in their cause's.)
 */
export function loggedError(error: unknown): LoggedError {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) }
  return {
    type: error.constructor.name,
    message: sentence(error),
    ...('code' in error && typeof error.code === 'string' ? { code: error.code } : {}),
    ...(isForeseen(error) || error.stack === undefined ? {} : { stack: error.stack }),
  }
}

const unforeseen = new Set<unknown>([Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])

function isForeseen(error: Error): boolean {
  return !unforeseen.has(error.constructor) || 'syscall' in error
}
