export interface Bounds {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/**
 * The one range of bytes that a `Range` header asks for (RFC 9110, 14). `undefined`: all of it, because there is no
 * such header, it has another unit, cannot be read, or asks for several (which a server may answer in whole).
 */
export function rangeOf(header: string | undefined, sizeBytes: number): Bounds | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first === '') {
    const length = Math.min(Number(last), sizeBytes)
    return length === 0 ? 'unsatisfiable' : { start: sizeBytes - length, end: sizeBytes }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return undefined
  if (start >= sizeBytes) return 'unsatisfiable'
  return { start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) }
}
