/** Formats unix ms as the answers have it. */
export type Timestamps = (ms: number) => string

export const dialects = ['node', 'python'] as const

const formats: Readonly<Record<(typeof dialects)[number], Timestamps>> = {
  node: (ms) => new Date(ms).toISOString(),
  // `datetime.utcnow().isoformat()`: microseconds and no zone. Six digits always, where Python leaves out a zero fraction.
  python: (ms) => `${new Date(ms).toISOString().slice(0, -1)}000`,
}

/** Once per millisecond: a date costs more than the rest of an answer. */
export function timestampsOf(dialect: (typeof dialects)[number]): Timestamps {
  const format = formats[dialect]
  let lastMs = Number.NaN
  let last = ''
  return (ms) => {
    if (ms !== lastMs) {
      lastMs = ms
      last = format(ms)
    }
    return last
  }
}
