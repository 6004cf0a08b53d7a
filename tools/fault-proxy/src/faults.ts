/**
 * What the network does to the bytes of every connection, from the moment it is set. The names follow toxiproxy's.
 * All are off by default, and each can be changed while connections are open.
 */
export interface Faults {
  /** Added to each chunk, in each direction; order is kept. */
  latencyMs: number
  /** Random part added to the latency: 0 to this much. */
  jitterMs: number
  /** Most bytes a second and direction. */
  bytesPerSecond: number
  /**
   * `both`: everything is swallowed, nothing is closed (a black hole). `answers`: requests arrive, answers do not
   * (half open): what was done stays unknown to the client. `requests`: they vanish on their way.
   */
  drop: 'none' | 'both' | 'requests' | 'answers'
  /** Each connection is reset (RST) once it has carried this many bytes of answers, to the byte; what follows is lost. */
  resetAfterBytes: number
  /** The same in good order (FIN), as a server does that gives up in the middle of an answer. */
  closeAfterBytes: number
  /** New connections are refused. */
  refuse: boolean
}

export const noFaults: Readonly<Faults> = {
  latencyMs: 0,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  drop: 'none',
  resetAfterBytes: Infinity,
  closeAfterBytes: Infinity,
  refuse: false,
}

export type Direction = 'requests' | 'answers'

/** @throws TypeError for a name that is no fault: a misspelt one would make a test that shows nothing. */
export function known(change: Partial<Faults>): Partial<Faults> {
  const unknown = Object.keys(change).find((name) => !(name in noFaults))
  if (unknown === undefined) return change
  throw new TypeError(`there is no fault "${unknown}"; the faults are ${Object.keys(noFaults).join(', ')}`)
}
