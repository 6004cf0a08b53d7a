import { ValueError, type Option, type OptionSpec, type Present } from './option.ts'
import { option } from './text-options.ts'

export interface Range {
  readonly min?: number
  readonly max?: number
}

/** A whole number, of at most 2^53 - 1. */
export function integer(spec: Present<number> & Range): Option<number>
export function integer(spec: OptionSpec<number> & Range): Option<number | undefined>
export function integer(spec: OptionSpec<number> & Range): Option<number | undefined> {
  return quantity('integer', '<n>', {}, 'a whole number', spec, String)
}

const msPer = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds: `1500`, or with a unit: `250ms`, `1.5s`, `5m`, `1h`, `7d`. */
export function durationMs(spec: Present<number> & Range): Option<number>
export function durationMs(spec: OptionSpec<number> & Range): Option<number | undefined>
export function durationMs(spec: OptionSpec<number> & Range): Option<number | undefined> {
  return quantity('duration', '<ms>', msPer, 'milliseconds, or a number with ms, s, m, h or d', spec, showDuration)
}

const bytesPer = {
  B: 1,
  kB: 1e3,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** Bytes: `65536`, or with a unit: `64KiB`, `10MB`. */
export function bytes(spec: Present<number> & Range): Option<number>
export function bytes(spec: OptionSpec<number> & Range): Option<number | undefined>
export function bytes(spec: OptionSpec<number> & Range): Option<number | undefined> {
  return quantity('bytes', '<bytes>', bytesPer, 'bytes, or a number with KiB, MiB, GiB, kB, MB or GB', spec, showBytes)
}

function quantity(
  kind: Option<number>['kind'],
  placeholder: string,
  units: Readonly<Record<string, number>>,
  what: string,
  spec: OptionSpec<number> & Range,
  show: (value: number) => string,
): Option<number | undefined> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = spec
  const bounded = (value: number, given: unknown): number => {
    if (!Number.isSafeInteger(value)) throw new ValueError(`must be ${what}, not ${JSON.stringify(given)}`)
    if (value >= min && value <= max) return value
    const range = max === Number.MAX_SAFE_INTEGER ? `at least ${show(min)}` : `between ${show(min)} and ${show(max)}`
    throw new ValueError(`must be ${range}, not ${String(given)}`)
  }
  const parse = (value: string): number => {
    const match = /^([+-]?\d+(?:\.\d+)?)\s*([A-Za-z]*)$/.exec(value.trim())
    const unit = match?.[2] ?? ''
    const factor = unit === '' ? 1 : units[unit]
    return bounded(match === null || factor === undefined ? Number.NaN : Number(match[1]) * factor, value)
  }
  const accept = (value: unknown): number =>
    typeof value === 'string' ? parse(value) : bounded(typeof value === 'number' ? value : Number.NaN, value)
  return option({ kind, placeholder, parse, accept, show }, spec)
}

function showDuration(value: number): string {
  if (value >= 3_600_000 && value % 3_600_000 === 0) return `${value / 3_600_000}h`
  if (value >= 60_000 && value % 60_000 === 0) return `${value / 60_000}m`
  return value >= 1_000 && value % 1_000 === 0 ? `${value / 1_000}s` : `${value}ms`
}

function showBytes(value: number): string {
  for (const [unit, size] of [['GiB', 2 ** 30] as const, ['MiB', 2 ** 20] as const, ['KiB', 2 ** 10] as const]) {
    if (value >= size && value % size === 0) return `${value / size}${unit}`
  }
  return `${value}B`
}
