import { useEffect, useRef, useState } from 'preact/hooks'

export interface Reading<T> {
  /** What was read last; undefined before the first answer. */
  readonly value: T | undefined
  /** Why the last attempt failed; '' when it did not. */
  readonly trouble: string
}

/**
 * Reads again whenever `of` (what is asked for) or `version` (how it stands) is another, one at a time and the latest last: an answer
 * that takes longer than the next change comes is shown all the same, and an old one never covers a new one.
 */
export function useReading<T>(read: () => Promise<T>, of: string, version: unknown): Reading<T> {
  const wanted = useRef({ read, of, version })
  wanted.current = { read, of, version }
  const running = useRef(false)
  const [reading, show] = useState<Reading<T>>({ value: undefined, trouble: '' })
  useEffect(() => {
    if (running.current) return
    running.current = true
    const readAll = async (): Promise<void> => {
      for (;;) {
        const asked = wanted.current
        const got = await asked.read().then(
          (value) => ({ value, trouble: '' }),
          (error: unknown) => ({ value: undefined, trouble: error instanceof Error ? error.message : String(error) }),
        )
        const { of: nowOf, version: nowVersion } = wanted.current
        // What was found stays to be seen while it cannot be read again.
        if (nowOf === asked.of) show((last) => (got.trouble === '' ? got : { ...last, trouble: got.trouble }))
        if (nowOf === asked.of && nowVersion === asked.version) break
      }
      running.current = false
    }
    void readAll()
  }, [of, version])
  return reading
}
