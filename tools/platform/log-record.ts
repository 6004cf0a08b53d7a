/** One line of a child's output. Lines that are no JSON object are kept as text. */
export interface LogRecord {
  /** The process that wrote it: "counter", "worker-0"; "platform" for what the supervisor says itself. */
  readonly process: string
  readonly level: LogLevel
  readonly timeMs: number
  readonly msg: string
  /** Everything else of the JSON line. */
  readonly fields: Readonly<Record<string, unknown>>
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof logLevels)[number]

const levelOfPino: Readonly<Record<number, LogLevel>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

export function parseLogLine(process: string, line: string, from: 'stdout' | 'stderr', nowMs: number): LogRecord {
  const object = line.startsWith('{') ? parseObject(line) : undefined
  if (object === undefined) {
    return { process, level: from === 'stderr' ? 'error' : 'info', timeMs: nowMs, msg: line, fields: {} }
  }
  const { level, time, msg, name: _name, pid: _pid, hostname: _hostname, ...fields } = object
  return {
    process,
    level: levelFrom(level),
    timeMs: timeFrom(time) ?? nowMs,
    msg: typeof msg === 'string' ? msg : '',
    fields,
  }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function levelFrom(level: unknown): LogLevel {
  if (typeof level === 'number') return levelOfPino[level] ?? 'info'
  return logLevels.find((known) => known === level) ?? 'info'
}

function timeFrom(time: unknown): number | undefined {
  if (typeof time === 'number') return time
  const timeMs = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(timeMs) ? undefined : timeMs
}
