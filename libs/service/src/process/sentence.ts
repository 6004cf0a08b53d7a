/** One line that says what went wrong, for an error of any origin: some have no message of their own, only a code or parts. */
export function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const parts = error instanceof AggregateError ? error.errors.map(sentence) : []
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  const own = error.message || [...new Set(parts)].join('; ') || code
  const whole = isTold(error.cause, own) ? own : `${own}: ${sentence(error.cause)}`
  return whole.split('\n', 1)[0] ?? whole
}

/** Many a message ends in that of its cause, which may have causes of its own. */
function isTold(cause: unknown, own: string): boolean {
  return !(cause instanceof Error) || own.includes(cause.message || sentence(cause))
}
