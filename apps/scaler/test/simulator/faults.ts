import type { Checks } from './checks.ts'
import type { Cluster, Seat } from './cluster.ts'
import { fairWeather, type Weather } from './link.ts'
import type { Random } from './random.ts'
import type { SimulatedRegistry } from './registry.ts'
import type { Scaling } from './scaling.ts'
import type { Server } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface World {
  readonly time: VirtualTime
  readonly random: Random
  readonly server: Server
  readonly cluster: Cluster
  readonly checks: Checks
  readonly registry: SimulatedRegistry
  /** Undefined: workers come and go by themselves. */
  readonly scaling: Scaling | undefined
  /** Faults end by themselves up to then. */
  readonly faultsUntilMs: number
}

export type Fault = (world: World) => void

const anyone = ({ cluster, random }: World): Seat | undefined =>
  random.pick(cluster.seats.filter(({ process }) => process.machine.runs))

/** Ends what was begun, at the latest when faults end. */
function later({ time, random, faultsUntilMs }: World, [from, to]: readonly [number, number], run: () => void): void {
  time.after(Math.min(random.between(from, to), Math.max(0, faultsUntilMs - time.nowMs())), run)
}

function badWeather(world: World, change: Partial<Weather>, durationMs: readonly [number, number]): void {
  const seat = anyone(world)
  if (seat === undefined) return
  world.checks.trace(`network of ${seat.name}: ${JSON.stringify(change)}`)
  Object.assign(seat.weather, change)
  later(world, durationMs, () => Object.assign(seat.weather, fairWeather))
}

function sleep(world: World, what: 'process' | 'suspended'): void {
  const seat = anyone(world)
  if (seat === undefined) return
  const { machine } = seat.process
  world.checks.trace(`${seat.name}: ${what} is stopped`)
  machine.stop(what)
  later(world, [100, 12_000], () => {
    world.checks.trace(`${seat.name} goes on`)
    machine.continue()
  })
}

/** Everything that may go wrong, by name. Each run draws which of them it has. */
export const faults: Readonly<Record<string, Fault>> = {
  kill(world) {
    const seat = anyone(world)
    if (seat !== undefined) world.cluster.kill(seat, world.random.between(0, 8_000))
  },
  terminate(world) {
    const seat = anyone(world)
    if (seat !== undefined) world.cluster.terminate(seat, world.random.between(0, 8_000))
  },
  /** SIGSTOP and SIGCONT. */
  pause(world) {
    sleep(world, 'process')
  },
  /** A virtual machine that is moved: its clock does not count the time. */
  suspend(world) {
    sleep(world, 'suspended')
  },
  /** Believed dead and replaced under the same name, it wakes up. */
  replace(world) {
    const seat = anyone(world)
    if (seat === undefined) return
    const { machine } = seat.process
    world.checks.trace(`${seat.name} is paused and replaced`)
    machine.stop('process')
    world.time.after(world.random.between(0, 4_000), () => {
      if (seat.wanted && seat.process.machine === machine) world.cluster.start(seat)
    })
    later(world, [500, 10_000], () => machine.continue())
  },
  partition(world) {
    const broken = world.random.pick(['both', 'requests', 'answers', 'refuse'] as const) ?? 'both'
    badWeather(world, { broken }, [200, 10_000])
  },
  slow(world) {
    const most = world.random.between(100, 3_000)
    badWeather(world, { latencyMs: [most / 4, most] }, [1_000, 8_000])
  },
  lossy(world) {
    badWeather(world, { loss: world.random.between(0.02, 0.4) }, [1_000, 8_000])
  },
  duplicate(world) {
    badWeather(world, { duplicates: world.random.between(0.05, 0.5) }, [1_000, 8_000])
  },
  ownClockJumps({ cluster, random, checks }) {
    const seat = random.pick(cluster.seats)
    if (seat === undefined) return
    // Only forward: a monotonic clock does not go back.
    const ms = random.pick([700, 5_000, 25_000, 3_600_000]) ?? 0
    checks.trace(`the clock of ${seat.name} jumps by ${ms} ms`)
    seat.process.machine.jumpClock(ms)
  },
  serverClockJumps({ server, random, checks }) {
    const ms = random.pick([1_500, 20_000, -1_500, -4_000]) ?? 0
    checks.trace(`the server's clock jumps by ${ms} ms`)
    server.jumpClock(ms)
  },
  serverClockWrongForAWhile(world) {
    const { server, checks } = world
    checks.trace(`the server's clock is an hour ahead`)
    server.jumpClock(3_600_000)
    later(world, [500, 6_000], () => {
      checks.trace(`the server's clock is back`)
      server.jumpClock(-3_600_000)
    })
  },
  serverRestarts(world) {
    if (!world.server.up) return
    world.checks.trace('the server restarts, or its synchronous standby takes over')
    world.server.crash()
    later(world, [100, 6_000], () => world.server.restart())
  },
  /** The tail of an asynchronous standby is lost, and some do not notice the new primary for a while. */
  failOverWithLoss(world) {
    const { server, random, checks, cluster } = world
    if (server.standbyLags) return
    checks.trace('the standby lags behind from now on')
    server.stopCopying()
    later(world, [50, 4_000], () => {
      const unaware = cluster.seats.filter(() => random.chance(0.4)).map(({ name }) => name)
      checks.trace(`the primary is lost; still with it: ${unaware.join()}`)
      server.crash()
      server.promoteCopy(new Set(unaware))
      later(world, [100, 5_000], () => server.forgetOldPrimary())
    })
  },
  registryIsEmptied({ registry, checks }) {
    checks.trace('the registry is emptied')
    registry.flush()
  },
  registryIsAway(world) {
    world.checks.trace('the registry is away')
    world.registry.up = false
    later(world, [1_000, 15_000], () => (world.registry.up = true))
  },
  targetRefuses(world) {
    const { scaling, random } = world
    if (scaling === undefined) return
    scaling.refusals = random.between(0.2, 1)
    later(world, [1_000, 8_000], () => (scaling.refusals = 0))
  },
  addRows({ server, random }) {
    void server.store.rows.add({ count: random.integer(1, 6) })
  },
  manyRowsComeOrGo({ server, random }) {
    const count = random.integer(5, 20)
    void (random.chance(0.5) ? server.store.rows.add({ count }) : server.store.rows.remove({ count }))
  },
  removeRows({ server, random }) {
    void server.store.rows.remove({ count: random.integer(1, 3) })
  },
  drain({ server, random, cluster, checks }) {
    const name = random.pick(cluster.of('worker'))?.name ?? ''
    checks.trace(`${name} is drained`)
    void server.store.workers.drain({ name })
  },
  pauseAll(world) {
    world.checks.trace('all is paused')
    void world.server.store.operator.pause()
    later(world, [500, 5_000], () => {
      world.checks.trace('all goes on')
      void world.server.store.operator.resume({ catchUp: world.random.chance(0.5) })
    })
  },
}
