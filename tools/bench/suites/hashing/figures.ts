/** Largest number of keys of a worker over the mean; 1 is perfect. */
export function maxOverMean(owners: readonly string[], workers: number): number {
  const counts = new Map<string, number>()
  for (const owner of owners) counts.set(owner, (counts.get(owner) ?? 0) + 1)
  return (Math.max(...counts.values()) * workers) / owners.length
}

/** Keys that moved over the fewest that must: the newcomer's fair share, or what the leaver had. */
export function movedOverMinimum(
  before: readonly string[],
  joined: readonly string[],
  left: readonly string[],
  workers: number,
  leaver: string,
): number {
  const moved = (after: readonly string[]) => after.reduce((sum, owner, i) => (owner === before[i] ? sum : sum + 1), 0)
  const own = before.filter((owner) => owner === leaver).length
  return (moved(joined) + moved(left)) / (Math.floor(before.length / (workers + 1)) + own)
}

/** Keys a second; at least one whole pass. */
export function perSecond(lookup: (keys: readonly string[]) => number, keys: readonly string[], measureMs: number) {
  const startedMs = performance.now()
  let done = 0
  let spentMs = 0
  for (; spentMs < measureMs; spentMs = performance.now() - startedMs) {
    lookup(keys)
    done += keys.length
  }
  return (done * 1000) / spentMs
}
