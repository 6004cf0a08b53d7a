import { detailsOf, startAnnouncing } from '../../src/worker/announcing.ts'
import type { SupersededError } from '../../src/worker/ticker.ts'
import { startWorking } from '../../src/worker/working.ts'
import type { Checks } from './checks.ts'
import { runControlPlane } from './control-plane.ts'
import { fairWeather, storeOverLink, type Weather } from './link.ts'
import { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { SimulatedRegistry } from './registry.ts'
import { Scaling } from './scaling.ts'
import type { Server } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface ClusterOptions {
  readonly leaseTtlMs: number
  readonly leaderTtlMs: number
  /** A call without an answer fails after this time. */
  readonly timeoutMs: number
  readonly tolerance: number
}

export interface ClusterParts {
  readonly time: VirtualTime
  readonly random: Random
  readonly server: Server
  readonly checks: Checks
  readonly registry: SimulatedRegistry
}

/** A name, and the network around it. A supervisor starts its process again while it is `wanted`. */
export interface Seat {
  readonly name: string
  readonly kind: 'worker' | 'control-plane'
  readonly weather: Weather
  wanted: boolean
  /** The one of now; older ones that sleep are known to nobody. */
  process: Process
}

export interface Process {
  readonly machine: Machine
  /** Graceful end, as SIGTERM asks for. */
  terminate: () => Promise<void>
}

/** Workers and control planes: the code of the product, each on a machine of its own. */
export class Cluster {
  readonly seats: Seat[] = []
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #server: Server
  readonly #checks: Checks
  readonly #options: ClusterOptions
  readonly #registry: SimulatedRegistry
  #scaling: Scaling | undefined

  constructor(options: ClusterOptions, parts: ClusterParts) {
    this.#options = options
    this.#registry = parts.registry
    this.#time = parts.time
    this.#random = parts.random
    this.#server = parts.server
    this.#checks = parts.checks
  }

  of(kind: Seat['kind']): Seat[] {
    return this.seats.filter((seat) => seat.kind === kind && seat.wanted)
  }

  add(name: string, kind: Seat['kind']): void {
    const seat = { name, kind, weather: { ...fairWeather }, wanted: true, process: this.#newProcess(name) }
    this.seats.push(seat)
    this.#run(seat)
  }

  /** From now on as many workers as the control planes want. */
  autoscale(): Scaling {
    const parts = { time: this.#time, random: this.#random, server: this.#server, checks: this.#checks }
    this.#scaling = new Scaling(parts, (workers) => this.#follow(workers))
    return this.#scaling
  }

  #follow(workers: number): void {
    for (let number = 0; number < workers; number++) {
      const name = `worker-${number}`
      const seat = this.seats.find((known) => known.name === name)
      if (seat === undefined) this.add(name, 'worker')
      else if (!seat.wanted) {
        seat.wanted = true
        if (seat.process.machine.gone) this.start(seat)
      }
    }
    for (const seat of this.of('worker').slice(workers)) {
      seat.wanted = false
      this.terminate(seat, 0)
    }
  }

  /** A new process, whatever became of the one before it. */
  start(seat: Seat): void {
    seat.process = this.#newProcess(seat.name)
    this.#run(seat)
  }

  /** At once and for good; the supervisor starts the next one after a while. */
  kill(seat: Seat, restartAfterMs: number): void {
    this.#checks.trace(`${seat.name} is killed`)
    this.#ended(seat, seat.process, restartAfterMs)
  }

  /** Graceful; resolves in the course of events. */
  terminate(seat: Seat, restartAfterMs: number): void {
    const { process } = seat
    this.#checks.trace(`${seat.name} is told to stop`)
    this.#end(process, () => this.#ended(seat, process, restartAfterMs))
  }

  #newProcess(name: string): Process {
    return {
      machine: new Machine(name, this.#time, this.#random),
      terminate: async () => {},
    }
  }

  #run(seat: Seat): void {
    this.#checks.trace(`${seat.name} starts`)
    if (seat.kind === 'worker') this.#runWorker(seat, seat.process)
    else this.#runControlPlane(seat, seat.process)
  }

  #end(process: Process, then: () => void): void {
    const end = async () => {
      await process.terminate()
      then()
    }
    process.machine.deliver(() => void end())
  }

  #ended(seat: Seat, process: Process, restartAfterMs: number): void {
    if (process.machine.gone) return
    process.machine.kill()
    this.#checks.trace(`${seat.name} has ended`)
    this.#time.after(restartAfterMs, () => {
      if (seat.wanted && seat.process === process) this.start(seat)
    })
  }

  #linked(seat: Seat, machine: Machine) {
    const [time, random, server] = [this.#time, this.#random, this.#server]
    return storeOverLink({ machine, weather: seat.weather, server, time, random, timeoutMs: this.#options.timeoutMs })
  }

  #runWorker(seat: Seat, process: Process): void {
    const { leaseTtlMs: ttlMs } = this.#options
    const { name } = seat
    const { machine } = process
    const checks = this.#checks
    const restart = () => this.#ended(seat, process, this.#random.between(500, 2_000))
    const superseded = (error: SupersededError) => {
      checks.trace(`${name}: ${error.message}`)
      // Not at once: the process that is being ended runs for a moment yet.
      this.#time.after(1, () => this.#end(process, restart))
    }
    const joined = startWorking({
      name,
      weight: 1,
      ttlMs,
      drainTimeoutMs: 15_000,
      workers: this.#linked(seat, machine).workers,
      metrics: { ticked() {}, fenced() {}, handedOver() {}, watching() {} },
      surroundings: machine.surroundings,
      ticked: async () => {},
      complain: (error) => checks.trace(`${name}: ${String(error)}`),
      superseded,
      log: { info: (_, message) => checks.trace(`${name}: ${message}`) },
    })
    const join = async () => {
      const working = await joined
      process.terminate = () => working.stop()
      const announcing = await startAnnouncing(this.#registry.seenFrom(machine), {
        name,
        everyMs: ttlMs / 3,
        ttlMs,
        details: () => detailsOf(working, { weight: 1, zone: '' }),
        complain: () => {},
        surroundings: machine.surroundings,
      })
      process.terminate = async () => {
        await announcing.stop()
        await working.stop()
      }
    }
    join().catch(restart)
  }

  #runControlPlane(seat: Seat, process: Process): void {
    const { leaderTtlMs: ttlMs, tolerance } = this.#options
    const { name } = seat
    const { machine } = process
    const store = this.#linked(seat, machine)
    const running = runControlPlane(store, {
      name,
      ttlMs,
      tolerance,
      machine,
      scaling: this.#scaling,
      checks: this.#checks,
      workers: () => this.seats.length,
    })
    process.terminate = () => running.stop()
  }
}
