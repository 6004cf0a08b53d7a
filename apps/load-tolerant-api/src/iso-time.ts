let lastMs = Number.NaN
let lastIso = ''

/** `toISOString`, once per millisecond: it costs more than the rest of the answer. */
export function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms
    lastIso = new Date(ms).toISOString()
  }
  return lastIso
}
