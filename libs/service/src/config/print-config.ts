import type { Options } from './option.ts'
import type { LoadedConfig } from './load-config.ts'

/** What `--print-config` writes: JSON, each value with where it came from; secrets and passwords inside URLs as `***`. */
export function printConfig<O extends Options>(options: O, { values, sources }: LoadedConfig<O>): string {
  const shown = Object.fromEntries(
    Object.entries(options).map(([name, { kind }]) => {
      const value: unknown = values[name]
      const visible = kind === 'secret' && value !== undefined ? '***' : redact(value)
      return [name, { value: visible ?? null, from: sources[name] }]
    }),
  )
  return `${JSON.stringify(shown, null, 2)}\n`
}

function redact(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redact)
  return typeof value === 'string' ? redactUrl(value) : value
}

/** `redis://user:secret@host` -> `redis://user:***@host`, also inside a longer text. */
export function redactUrl(text: string): string {
  return text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/[^/?#\s:@]*):[^/?#\s@]+@/gi, '$1:***@')
}
