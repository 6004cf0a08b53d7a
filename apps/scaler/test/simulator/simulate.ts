import { openMemoryWorkItems } from '@ballast/state-stores/work-item/memory'
import { Checks } from './checks.ts'
import { Cluster } from './cluster.ts'
import { faults, type World } from './faults.ts'
import { fairWeather } from './link.ts'
import { Random } from './random.ts'
import { SimulatedRegistry } from './registry.ts'
import { Server, type OpenStore } from './server.ts'
import { allTick, announced, balanced, everybodyBack, scaled } from './state-checks.ts'
import { VirtualTime } from './virtual-time.ts'

export interface Simulated {
  readonly seed: number
  /** Empty: all is well. */
  readonly violations: readonly string[]
  /** What happened, the latest last. */
  readonly lines: readonly string[]
  readonly counts: Checks['counts']
  readonly events: number
  readonly simulatedMs: number
  readonly longestGapTicks: number
  /** From the end of the faults until every row was ticked in time again. */
  readonly recoveredMs: number
}

export interface SimulateOptions {
  readonly seed: number
  /** To plant a fault in the store. */
  readonly open?: OpenStore
}

/**
 * One run, all of whose events follow from the seed. Faults at first, of kinds that the seed has drawn (what must never happen is checked
 * with each answer of the store); then none, and all must be well within a bound; then work without faults, during which no row may
 * miss a tick; then rest, in which nothing may move.
 */
export async function simulate({ seed, open = openMemoryWorkItems }: SimulateOptions): Promise<Simulated> {
  const random = new Random(seed)
  const time = new VirtualTime()
  const checks = new Checks(time.nowMs)
  const slots = random.pick([4, 16, 32]) ?? 16
  const server = new Server(time, slots, random.uuid, open, checks)
  const leaseTtlMs = random.integer(1_500, 4_000)
  const leaderTtlMs = random.integer(1_000, 4_000)
  const timeoutMs = random.integer(1_000, 6_000)
  const registry = new SimulatedRegistry(time, random)
  const cluster = new Cluster(
    { leaseTtlMs, leaderTtlMs, timeoutMs, tolerance: 0.005 },
    { time, random, server, checks, registry },
  )
  const faultsMs = random.between(15_000, 40_000)
  await server.store.rows.add({ count: random.pick([0, 1, 5, 20, 40]) ?? 20 })
  const scaling = random.chance(0.4) ? cluster.autoscale() : undefined
  const world: World = { time, random, server, cluster, checks, registry, scaling, faultsUntilMs: faultsMs }
  const workers = scaling === undefined ? random.integer(1, 5) : 0
  for (let i = 0; i < workers; i++) time.after(random.between(0, 3_000), () => cluster.add(`worker-${i}`, 'worker'))
  const controlPlanes = random.integer(1, 3)
  for (let i = 0; i < controlPlanes; i++) cluster.add(`control-${i}`, 'control-plane')

  const drawn = Object.entries(faults).filter(() => random.chance(0.4))
  const everyMs = random.between(300, 4_000)
  checks.trace(`faults: ${drawn.map(([name]) => name).join()} every ${Math.round(everyMs)} ms`)
  while (time.nowMs() < faultsMs) {
    await time.runFor(Math.min(random.between(0, everyMs * 2), faultsMs - time.nowMs()))
    random.pick(drawn)?.[1](world)
  }

  await time.runFor(1)
  heal(world)
  const healedMs = time.nowMs()
  const patienceMs = timeoutMs + Math.max(leaseTtlMs, leaderTtlMs) * 2 + 10_000
  let recoveredMs = -1
  while (recoveredMs < 0 && time.nowMs() - healedMs < patienceMs) {
    await time.runFor(500)
    if (allTick(world)) recoveredMs = time.nowMs() - healedMs
  }
  if (recoveredMs < 0) checks.violated('I7', `some rows are not ticked ${patienceMs} ms after the last fault`)
  await everybodyBack(world)
  await scaled(world)
  balanced(world)

  checks.calm = true
  await workWithoutFaults(world)
  await scaled(world)
  balanced(world)

  checks.atRest = true
  await time.runFor(4_000)
  await announced(world)
  if (!allTick(world)) checks.violated('I7', 'some rows are not ticked at rest')
  const { violations, lines, counts, longestGapTicks } = checks
  const { events } = time
  return { seed, violations, lines, counts, events, simulatedMs: time.nowMs(), longestGapTicks, recoveredMs }
}

/** Everything is mended, and everybody who is missing comes back. */
function heal({ server, cluster, checks, time, random, registry, scaling }: World): void {
  checks.trace('all faults end')
  server.restart()
  registry.up = true
  if (scaling !== undefined) scaling.refusals = 0
  void server.store.operator.resume({ catchUp: true })
  // Ticks or deadlines of a time when the clock was ahead: it is set to where it was.
  const { state } = server
  const furthest = Math.max(
    ...[...state.rows.values()].map(({ lastTick }) => Number(lastTick) * 1000),
    ...[...state.workers.values()].map(({ expiresAtMs }) => expiresAtMs - 5_000),
    (state.leader?.expiresAtMs ?? 0) - 5_000,
  )
  server.jumpClock(Math.max(0, furthest - server.nowMs()))
  for (const seat of cluster.seats) {
    Object.assign(seat.weather, fairWeather)
    const { name, process } = seat
    const { machine } = process
    machine.continue()
    // As the documentation says: to accept a clock that has jumped, workers are restarted. One that was drained by hand stays so.
    const stuck = server.wentAstrayMs > 15_000 || machine.clockJumped
    const drained = server.state.workers.get(name)?.draining === true
    if (seat.kind === 'worker' && (stuck || drained)) cluster.kill(seat, random.between(0, 1_000))
    else if (machine.gone && seat.wanted) time.after(0, () => seat.process === process && cluster.start(seat))
  }
}

async function workWithoutFaults(world: World): Promise<void> {
  const { time, random, server, cluster, checks, scaling } = world
  for (let i = 0; i < 3; i++) {
    const running = cluster.of('worker')
    const leaver = random.pick(running)
    const control = cluster.of('control-plane')
    // With an autoscaler, rows make workers come and go.
    switch (random.integer(scaling === undefined ? 0 : 2, 4)) {
      case 0:
        cluster.add(`worker-${cluster.seats.length}`, 'worker')
        break
      case 1:
        if (leaver === undefined || running.length < 2) break
        leaver.wanted = false
        cluster.terminate(leaver, 0)
        break
      case 2:
        checks.trace('rows are added')
        await server.store.rows.add({ count: random.integer(1, scaling === undefined ? 10 : 30) })
        break
      case 3:
        await server.store.rows.remove({ count: random.integer(1, scaling === undefined ? 3 : 30) })
        break
      default: {
        // Workers go on without a control plane, whatever becomes of it.
        const seat = random.pick(control)
        if (seat !== undefined) cluster.kill(seat, random.between(0, 5_000))
      }
    }
    await time.runFor(random.between(500, 6_000))
  }
  await time.runFor(12_000)
}
