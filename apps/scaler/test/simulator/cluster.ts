import { Leadership } from '../../src/control-plane/leadership.ts'
import { repeat } from '../../src/repeat.ts'
import type { SupersededError } from '../../src/worker/ticker.ts'
import { startWorking } from '../../src/worker/working.ts'
import type { Checks } from './checks.ts'
import { fairWeather, storeOverLink, type Weather } from './link.ts'
import { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { Server } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface ClusterOptions {
  readonly leaseTtlMs: number
  readonly leaderTtlMs: number
  /** A call without an answer fails after this time. */
  readonly timeoutMs: number
  readonly tolerance: number
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

  constructor(options: ClusterOptions, parts: { time: VirtualTime; random: Random; server: Server; checks: Checks }) {
    this.#options = options
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
    }
    join().catch(restart)
  }

  #runControlPlane(seat: Seat, process: Process): void {
    const { leaderTtlMs: ttlMs, tolerance } = this.#options
    const { name } = seat
    const { machine } = process
    const checks = this.#checks
    const say = (fields: object, message: string) => checks.trace(`${name}: ${message} ${JSON.stringify(fields)}`)
    const leadership = new Leadership(
      this.#linked(seat, machine),
      { name, ttlMs, tolerance, joinSettleMs: 500, rebalanceIntervalMs: 2_000 },
      {
        log: { info: say, warn: say },
        metrics: {
          observe() {},
          planned(stats) {
            checks.counts.plans += 1
            checks.counts.movedRows += stats.movedRows
          },
          tookOver() {},
        },
        nowMs: machine.surroundings.monotonicMs,
      },
    )
    const leading = repeat(
      {
        step: () => leadership.step(),
        pauseMs: () => 250,
        failed: (error) => checks.trace(`${name}: ${String(error)}`),
      },
      machine.surroundings,
    )
    process.terminate = async () => {
      await leading.stop()
      await leadership.resign().catch(() => {})
    }
  }
}
