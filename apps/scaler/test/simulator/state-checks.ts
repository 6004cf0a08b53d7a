import type { World } from './faults.ts'

/** Every row got its tick of this second or of the one before. */
export function allTick({ server }: World): boolean {
  const now = BigInt(Math.floor(server.nowMs() / 1000))
  return server.up && [...server.state.rows.values()].every(({ lastTick }) => lastTick >= now - 1n)
}

/** Nothing is left to do: all is owned by who should own it, and no single move would make it more even. */
export function balanced({ server, cluster, checks }: World): void {
  const { owners, targets, rows } = server.state
  const workers = cluster.of('worker').map(({ name }) => name)
  const loads = new Map<string, number>(workers.map((name) => [name, 0]))
  const loadOf = Array.from({ length: owners.length }, () => 0)
  for (const { slot } of rows.values()) loadOf[slot] = (loadOf[slot] ?? 0) + 1
  for (const [slot, owner] of owners.entries()) {
    if (owner === undefined || !loads.has(owner))
      checks.violated('I4', `slot ${slot} belongs to ${owner}, who is not there`)
    else loads.set(owner, (loads.get(owner) ?? 0) + (loadOf[slot] ?? 0))
    if (owner !== targets[slot]) checks.violated('I4', `slot ${slot} has not come from ${owner} to ${targets[slot]}`)
  }
  const poorest = Math.min(...loads.values())
  for (const [slot, owner] of owners.entries()) {
    const load = loadOf[slot] ?? 0
    if (load > 0 && (loads.get(owner ?? '') ?? 0) - load > poorest) {
      checks.violated('I4', `slot ${slot} of ${load} rows should leave ${owner}: ${JSON.stringify([...loads])}`)
      return
    }
  }
}

const patienceMs = 90_000

/** Who was told to stop, or was killed, just before the end of the faults comes back a while after it has ended. */
export async function everybodyBack({ cluster, time, checks }: World): Promise<void> {
  const untilMs = time.nowMs() + patienceMs
  let calmMs = 0
  while (calmMs < 10_000 && time.nowMs() < untilMs) {
    await time.runFor(500)
    calmMs = cluster.seats.some(({ wanted, process }) => wanted && process.machine.gone) ? 0 : calmMs + 500
  }
  if (calmMs < 10_000) checks.violated('I7', 'somebody has not come back')
}

/** As many workers as the rows need, and whoever is not among them has given everything away. */
export async function scaled({ scaling, server, time, checks }: World): Promise<void> {
  if (scaling === undefined) return
  const untilMs = time.nowMs() + patienceMs
  while (!scaling.atRest && time.nowMs() < untilMs) await time.runFor(500)
  if (!scaling.atRest) {
    const { rows } = server.state
    checks.violated('I8', `${scaling.replicas} workers for ${rows.size} rows, and no change in ${patienceMs} ms`)
  }
  await time.runFor(10_000)
}

/** A registry that was empty or away knows everybody again. */
export async function announced({ registry, cluster, checks }: World): Promise<void> {
  const known = (await registry.names()).join()
  const workers = cluster
    .of('worker')
    .map(({ name }) => name)
    .toSorted()
    .join()
  if (known !== workers) checks.violated('I7', `the registry knows ${known}, there are ${workers}`)
}
