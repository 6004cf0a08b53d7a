import { styleText } from 'node:util'
import type { LogLevel, LogRecord } from '../platform/log-record.ts'

const levelStyles = {
  trace: 'gray',
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
} as const satisfies Record<LogLevel, string>

const maxFields = 6
const maxValueLength = 80

export interface LogStyle {
  readonly colour: boolean
  /** Names are padded to this. */
  readonly nameWidth: number
}

/** One line: time, process, level, message, the first few fields. */
export function renderLog({ process, level, timeMs, msg, fields }: LogRecord, { colour, nameWidth }: LogStyle): string {
  const paint = (style: Parameters<typeof styleText>[0], text: string): string =>
    colour ? styleText(style, text, { validateStream: false }) : text
  const time = new Date(timeMs).toISOString().slice(11, 23)
  const rest = Object.entries(fields)
    .slice(0, maxFields)
    .map(([name, value]) => `${name}=${renderValue(value)}`)
  const words = [
    paint('gray', time),
    paint('cyan', process.padEnd(nameWidth)),
    paint(levelStyles[level], level.padEnd(5)),
    oneLine(msg),
    ...rest.map((field) => paint('gray', field)),
  ]
  return words.join(' ').trimEnd()
}

function renderValue(value: unknown): string {
  const text = oneLine(typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)))
  return text.length > maxValueLength ? `${text.slice(0, maxValueLength - 1)}…` : text
}

/** Control characters of a message must not move the reader's cursor or break the line. */
function oneLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u001F\u007F]+/g, ' ')
}
