/** The configuration cannot be used; the message is one sentence for the person who wrote it. Exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
