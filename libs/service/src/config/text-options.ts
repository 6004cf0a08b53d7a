import { ValueError, type Option, type OptionSpec, type Present } from './option.ts'

interface Shape<T> {
  readonly kind: Option<T>['kind']
  readonly placeholder: string
  parse(this: void, text: string): T
  accept?(this: void, value: unknown): T
  show?(this: void, value: T): string
}

/** Joins what a kind knows with what its user says. */
export function option<T extends string | number | boolean | readonly string[]>(
  shape: Shape<T>,
  spec: OptionSpec<T> & { readonly required?: boolean },
): Option<T | undefined> {
  const { kind, placeholder, parse } = shape
  return {
    kind,
    placeholder,
    help: spec.help,
    default: spec.default,
    required: spec.required ?? false,
    env: spec.env ?? [],
    parse,
    accept: shape.accept ?? ((value) => parse(onlyText(value))),
    show: shape.show ?? String,
  }
}

export function onlyText(value: unknown): string {
  if (typeof value === 'string') return value
  throw new ValueError(`must be a string, not ${JSON.stringify(value)}`)
}

/** Any text. */
export function text(spec: Present<string>): Option<string>
export function text(spec: OptionSpec<string>): Option<string | undefined>
export function text(spec: OptionSpec<string>): Option<string | undefined> {
  return option({ kind: 'text', placeholder: '<text>', parse: (value) => value }, spec)
}

/** A text that is never shown: not by `--print-config`, not in logs. Best given as a file: `NAME_FILE=/run/secrets/name`. */
export function secret(spec: Present<string>): Option<string>
export function secret(spec: OptionSpec<string>): Option<string | undefined>
export function secret(spec: OptionSpec<string>): Option<string | undefined> {
  return option({ kind: 'secret', placeholder: '<secret>', parse: (value) => value, show: () => '***' }, spec)
}

/** One of a few words. */
export function choice<const V extends string>(values: readonly V[], spec: Present<NoInfer<V>>): Option<V>
export function choice<const V extends string>(
  values: readonly V[],
  spec: OptionSpec<NoInfer<V>>,
): Option<V | undefined>
export function choice<V extends string>(values: readonly V[], spec: OptionSpec<V>): Option<V | undefined> {
  const parse = (value: string): V => {
    const found = values.find((word) => word === value)
    if (found === undefined) throw new ValueError(`must be one of ${values.join(', ')}, not ${JSON.stringify(value)}`)
    return found
  }
  return option({ kind: 'choice', placeholder: `<${values.join('|')}>`, parse }, spec)
}

function split(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

/** Several texts: the flag may be repeated, each value may hold several separated by commas. Default: none. */
export function list(spec: OptionSpec<readonly string[]>): Option<readonly string[]> {
  return {
    ...option<readonly string[]>(
      {
        kind: 'list',
        placeholder: '<a,b,...>',
        parse: split,
        accept: (value) => (Array.isArray(value) ? value.map(onlyText) : split(onlyText(value))),
        show: (value) => value.join(','),
      },
      spec,
    ),
    default: spec.default ?? [],
  }
}

/** A switch: `--name`, `--no-name`, `NAME=true|false|1|0`. Default: off. */
export function flag(spec: OptionSpec<boolean>): Option<boolean> {
  const accept = (value: unknown): boolean => (typeof value === 'boolean' ? value : parseSwitch(String(value)))
  return {
    ...option({ kind: 'flag', placeholder: '', parse: parseSwitch, accept }, spec),
    default: spec.default ?? false,
  }
}

function parseSwitch(value: string): boolean {
  if (value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw new ValueError(`must be true or false, not ${JSON.stringify(value)}`)
}
