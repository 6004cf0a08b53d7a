import type { EntryName } from '../port.ts'

/** Escaped they are up to 600 bytes, and S3 takes 1024 for prefix, namespace and key together. */
export const longestKeyBytes = 200

const longestSegment = 200

export const entryKey = ({ namespace, key }: EntryName): string => `${folderOf(namespace)}${escapeKey(key)}`
export const folderOf = (namespace: string): string => `entries/${namespace}/`
/** The hashes of an object that came in parts. */
export const hashesKey = (generation: string): string => `hashes/${generation}`
/** There when the object of that generation was found damaged. */
export const damageKey = (generation: string): string => `damaged/${generation}`

/**
 * Letters, digits, - and _ stay; other bytes become !XX. Servers that keep objects as files want segments of at most
 * 255 bytes, and no key that is a folder of another: a segment that is continued ends with a lone "!".
 */
export function escapeKey(key: string): string {
  const escaped = Buffer.from(key)
    .toString('latin1')
    .replaceAll(/[^\w-]/g, (byte) => `!${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
  return (escaped.match(new RegExp(`.{1,${longestSegment}}`, 'g')) ?? []).join('!/')
}

/** Undefined for what we did not write. */
export function unescapeKey(escaped: string): string | undefined {
  const joined = escaped.replaceAll('!/', '')
  if (!/^([\w-]|![0-9a-f]{2})+$/.test(joined)) return undefined
  const bytes = joined.replaceAll(/!(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
