/** The platform cannot start, and the user can do something about it: `message` is one sentence for him, exit code 2. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

/** What an operating system call says about a path or port: "EACCES", or the message when there is no code. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
