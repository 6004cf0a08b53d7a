/** One call on one message: what was asked, what was answered, and between which moments it took effect. */
export interface Call {
  readonly kind: 'put' | 'get' | 'remove'
  /** Whether the message was there before; undefined: no answer, it may or may not have happened. */
  readonly found: boolean | undefined
  readonly startedMs: number
  /** Infinity without an answer: it may still happen. */
  readonly endedMs: number
}

/**
 * Whether one order of the calls, in which none comes before another that had ended when it started, explains all the
 * answers (Herlihy and Wing 1990; the search of Wing and Gong 1993 with memory). The message is absent at first.
 */
export function isLinearizable(history: readonly Call[]): boolean {
  const calls = history.toSorted((a, b) => a.startedMs - b.startedMs)
  const dead = new Set<string>()
  const search = (done: ReadonlySet<number>, present: boolean): boolean => {
    const open = calls.flatMap((call, index) => (done.has(index) ? [] : [{ call, index }]))
    if (open.every(({ call }) => call.found === undefined)) return true
    const state = `${open.map(({ index }) => index).join(',')}|${present}`
    if (dead.has(state)) return false
    const firstEndMs = Math.min(...open.map(({ call }) => call.endedMs))
    for (const { call, index } of open) {
      if (call.startedMs > firstEndMs) break
      if (call.found !== undefined && call.found !== present) continue
      const after = call.kind === 'get' ? present : call.kind === 'put'
      if (search(new Set(done).add(index), after)) return true
    }
    dead.add(state)
    return false
  }
  return search(new Set(), false)
}
