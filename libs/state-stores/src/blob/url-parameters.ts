import { readFileSync } from 'node:fs'
import { messageOf } from '../message-of.ts'
import { percentDecode } from '../percent-decode.ts'

/** A misspelt parameter would be a setting that silently does not hold. */
export function assertParameters(parameters: URLSearchParams, known: readonly string[], label: string): void {
  const unknown = [...parameters.keys()].find((name) => !known.includes(name))
  if (unknown === undefined) return
  throw new Error(`${label}: "${unknown}" is no parameter here; known are ${known.join(', ')}`)
}

/** `label` names the URL, without what is secret in it. */
export function decodePart(part: string, label: string): string {
  try {
    return percentDecode(part)
  } catch (cause) {
    throw new Error(`${label} ${messageOf(cause)}`, { cause })
  }
}

export function wholeNumber(parameters: URLSearchParams, name: string, label: string): number | undefined {
  const text = parameters.get(name)
  if (text === null) return undefined
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Error(`${label}: ${name}=${text} is no whole number from 1 to 999`)
  return Number(text)
}

/** `true` or `false`; anything else is a mistake. */
export function flagOf(parameters: URLSearchParams, name: string, label: string): boolean | undefined {
  const text = parameters.get(name)
  if (text === null) return undefined
  if (text !== 'true' && text !== 'false') throw new Error(`${label}: ${name}=${text} is neither true nor false`)
  return text === 'true'
}

/** The text of a file that a parameter names. */
export function fileOf(parameters: URLSearchParams, name: string, label: string): string | undefined {
  const path = parameters.get(name)
  if (path === null) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`${label}: ${name} names a file that cannot be read (${messageOf(cause)})`, { cause })
  }
}
