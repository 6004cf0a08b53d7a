/** `flushIntervalMs` -> `flush-interval-ms` */
export function flagOf(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase()
}

/** `flushIntervalMs` -> `COUNTER_FLUSH_INTERVAL_MS` */
export function variableOf(prefix: string, name: string): string {
  return `${prefix}_${flagOf(name).replaceAll('-', '_').toUpperCase()}`
}

/** Variables that Kubernetes injects into a pod for each Service of its namespace ("service links"). */
export function isServiceLinkName(variable: string): boolean {
  return /_SERVICE_(HOST|PORT(_.*)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$/.test(variable)
}

export function isServiceLinkValue(value: string): boolean {
  return /^(tcp|udp|sctp):\/\//.test(value)
}

/** The closest of `known`, if it is close enough to be a slip of the fingers. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(word, candidate)
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** Levenshtein distance, two rows. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(substituted, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
