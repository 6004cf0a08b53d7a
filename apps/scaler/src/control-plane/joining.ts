/** How many newcomers there are, and what is known of their names. */
export interface Joining {
  /** So many in all, at least those with a name. */
  readonly count: number
  readonly names?: readonly string[]
}

/**
 * The names of newcomers: those that are given, then the lowest free numbers of the present ones, as the launcher, the autoscaler and a
 * StatefulSet count. Names decide which of two equal slots goes, so that only with the names that will come the planner's answer is
 * that of the plan to come.
 */
export function joiningNames(present: readonly string[], { count, names = [] }: Joining): string[] {
  const taken = new Set([...present, ...names])
  const joining = [...names]
  const before = beginning(present)
  for (let number = 0; joining.length < count; number++) {
    const name = `${before}${number}`
    if (!taken.has(name)) joining.push(name)
  }
  return joining
}

/** What most numbered names begin with. */
function beginning(present: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of present) {
    const before = /^(.*\D)\d+$/.exec(name)?.[1]
    if (before !== undefined) counts.set(before, (counts.get(before) ?? 0) + 1)
  }
  const [[most] = ['worker-']] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most
}
