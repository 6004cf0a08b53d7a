/** What a control plane says, as pino takes it. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}
