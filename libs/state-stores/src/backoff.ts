/** Exponential with half of it random, so that many clients do not return to a server as one. */
export const backoffMs = (attempt: number, longestMs: number, random: () => number): number =>
  Math.min(longestMs, 50 * 2 ** Math.min(attempt, 10)) * (0.5 + random() / 2)
