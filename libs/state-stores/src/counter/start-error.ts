/** A store that cannot be used as it is named: one sentence, with what to do, and never with a password. */
export const startError = (what: string, setting: string, cause?: unknown): Error =>
  new Error(`${what}, or choose another store with ${setting}`, cause === undefined ? {} : { cause })
