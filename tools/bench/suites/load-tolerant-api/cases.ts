import { startBackend } from '@ballast/backends'
import { startFaultProxy } from '@ballast/fault-proxy'
import { type BenchCase, type Effort, quickEffort, wholeEffort } from '../../case.ts'
import { program, startServer } from '../../server.ts'
import { commandsPerSecond, openSystem, startQueueServer, type WholeSystem } from './system.ts'
import { users, type UsersResult } from './users.ts'

/** Processes of the api. */
const workers = 2

interface Shape {
  /** The load whose backlog then drains within five times as long. */
  readonly minuteMs: number
  /** Each side of each round of the other cases. */
  readonly roundMs: number
  readonly rounds: number
  /** Before all that counts, with the users of the published result: the programs are compiled when the many come. */
  readonly warmUpMs: number
}

/** The whole run; the quick one, which ends within five minutes for the cases of ten thousand users; one that only tries whether it works. */
function shapeOf({ measureMs }: Effort): Shape {
  if (measureMs >= wholeEffort.measureMs) return { minuteMs: 60_000, roundMs: 20_000, rounds: 3, warmUpMs: 5000 }
  if (measureMs >= quickEffort.measureMs) return { minuteMs: 15_000, roundMs: 5000, rounds: 1, warmUpMs: 3000 }
  return { minuteMs: 1000, roundMs: 1000, rounds: 1, warmUpMs: 1000 }
}

const rounds = (effort: Effort): number => shapeOf(effort).rounds
const publishedUsers = 338

/** Fewer users in a run that only tries whether it works at all. */
const usersOf = (count: number, { measureMs }: Effort): number => (measureMs < 1000 ? Math.min(count, 50) : count)

interface Run extends UsersResult {
  readonly worstSecond: number
  readonly memoryMb: number
  readonly drainSeconds: number
}

async function openWarm(stack: AsyncDisposableStack, effort: Effort): Promise<WholeSystem> {
  const system = await openSystem(stack, workers, effort.progress)
  const { url, journal } = system
  const { warmUpMs: durationMs } = shapeOf(effort)
  const result = await users({ url, connections: usersOf(publishedUsers, effort), durationMs, journal })
  system.unanswered(result.unanswered)
  await system.drained(durationMs)
  return system
}

/** A load, and then the backlog drains: else the queue of one round would be full in another. */
async function runOnce(system: WholeSystem, connections: number, effort: Effort, durationMs: number): Promise<Run> {
  const { url, journal } = system
  effort.progress?.(`${usersOf(connections, effort)} users for ${durationMs / 1000} s`)
  const result = await users({ url, connections: usersOf(connections, effort), durationMs, journal })
  system.unanswered(result.unanswered)
  const drainSeconds = (await system.drained(durationMs)) / 1000
  const run = { ...result, drainSeconds, worstSecond: system.writeCommands.worstSecond, memoryMb: system.mostMemory() }
  effort.progress?.(sentenceOf(run))
  return run
}

/** All of it, whichever figure a case shows. */
const sentenceOf = ({ perSecond, p50Ms, p95Ms, p99Ms, errors, worstSecond, memoryMb, drainSeconds }: Run): string =>
  `${perSecond.toFixed(0)} a second, p50 ${p50Ms.toFixed(0)} ms, p95 ${p95Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, ${errors} errors, ${worstSecond} write commands in the worst second, ${memoryMb.toFixed(0)} MB, drained in ${drainSeconds.toFixed(1)} s`

/** One run of a number of users shows several figures: the first case that needs it makes it. */
const runs = new Map<number, Promise<Run>>()

/** A figure of the whole system under so many users. */
function ofSystem(
  name: string,
  unit: string,
  connections: number,
  compares: string,
  figure: (run: Run) => number,
): BenchCase {
  return {
    name: `load/${name}`,
    unit,
    higherIsBetter: unit === 'requests/s',
    rounds: () => 1,
    compares,
    async open(stack, effort) {
      const { minuteMs } = shapeOf(effort)
      const made = runs.get(connections)
      const system = made === undefined ? await openWarm(stack, effort) : undefined
      return {
        async ours() {
          const run = made ?? (system && runOnce(system, connections, effort, minuteMs))
          if (run === undefined) throw new TypeError('there is neither a run nor a system for one')
          runs.set(connections, run)
          return figure(await run)
        },
      }
    },
  }
}

/** Requests a second of the whole system and of a peer, in turns, by as many users. */
function against(
  name: string,
  connections: number,
  compares: string,
  startPeer: (stack: AsyncDisposableStack) => Promise<string>,
  peerConnections = connections,
): BenchCase {
  return {
    name: `load/${name}`,
    unit: 'requests/s',
    higherIsBetter: true,
    rounds,
    compares,
    async open(stack, effort) {
      const { roundMs, warmUpMs } = shapeOf(effort)
      const url = await startPeer(stack)
      const system = await openWarm(stack, effort)
      await users({
        url,
        connections: usersOf(Math.min(publishedUsers, peerConnections), effort),
        durationMs: warmUpMs,
      })
      const peer = { url, connections: usersOf(peerConnections, effort), durationMs: roundMs }
      return {
        ours: async () => (await runOnce(system, connections, effort, roundMs)).perSecond,
        // No answer at all in a turn counts as one.
        peer: async () => Math.max((await users(peer)).perSecond, 1000 / peer.durationMs),
      }
    },
  }
}

const whole = `GET /api/data of ${workers} processes, Redis, consumer and a store behind ${commandsPerSecond} write commands a second`

/** What overload costs: the same system with ten times the users that it needs to be busy. */
const goodputAtTenfold: BenchCase = {
  name: 'load/goodput-at-10x',
  unit: 'requests/s',
  higherIsBetter: true,
  rounds,
  compares: `${whole}; right answers within 2 s with 10,000 users, against the same system with 1,000`,
  async open(stack, effort) {
    const system = await openWarm(stack, effort)
    const { roundMs } = shapeOf(effort)
    const goodput = (count: number) => async () => (await runOnce(system, count, effort, roundMs)).goodPerSecond
    return { ours: goodput(10_000), peer: goodput(1000) }
  },
}

/** The seed system's published rate, as an open loop: what a user sees who does not wait for others. */
const publishedRate = 2333
const constantRate: BenchCase = {
  name: 'load/constant-rate-p99-ms',
  unit: 'ms',
  higherIsBetter: false,
  rounds,
  compares: `${whole}; ${publishedRate} requests a second at fixed times on ${publishedUsers} connections; 99 % are faster, counted from when they were due`,
  async open(stack, effort) {
    const system = await openWarm(stack, effort)
    const { roundMs: durationMs } = shapeOf(effort)
    return {
      async ours() {
        const result = await users({
          url: system.url,
          connections: usersOf(publishedUsers, effort),
          durationMs,
          journal: system.journal,
          ratePerSecond: effort.measureMs < 1000 ? 100 : publishedRate,
        })
        system.unanswered(result.unanswered)
        await system.drained(durationMs)
        return result.p99Ms
      },
    }
  },
}

/**
 * The users with whom the starter does best: its rate is that of the cap, five commands a request, however many there are. More
 * would wait in line for as long as a round takes (10,000 for eight minutes), and it would seem to answer nobody.
 */
const starterUsers = 10

export const systemCases: readonly BenchCase[] = [
  ofSystem(
    '10k-p95-ms',
    'ms',
    10_000,
    `${whole}; a minute of 10,000 users without think time (--quick: 15 s); 95 % are faster`,
    ({ p95Ms }) => p95Ms,
  ),
  ofSystem('10k-p99-ms', 'ms', 10_000, 'the same run; 99 % are faster', ({ p99Ms }) => p99Ms),
  ofSystem('10k-errors', 'requests', 10_000, 'the same run; failed, or two seconds and slower', ({ errors }) => errors),
  ofSystem(
    'write-commands-per-s',
    'commands',
    10_000,
    'the same run; the worst sliding second at the proxy until then',
    ({ worstSecond }) => worstSecond,
  ),
  ofSystem('10k-rss-mb', 'MB', 10_000, 'the same run; most memory of one api process', ({ memoryMb }) => memoryMb),
  ofSystem(
    '10k-drain-s',
    's',
    10_000,
    'the same run; then until all of it is stored: within five times the length of the load, and all ids are verified',
    ({ drainSeconds }) => drainSeconds,
  ),
  ofSystem(
    '338-p95-ms',
    'ms',
    publishedUsers,
    `${whole}; ${publishedUsers} users, 95 % are faster`,
    ({ p95Ms }) => p95Ms,
  ),
  ofSystem(
    '338-requests-per-s',
    'requests/s',
    publishedUsers,
    'the same run; answers a second',
    ({ perSecond }) => perSecond,
  ),
  constantRate,
  goodputAtTenfold,
  against(
    '10k-vs-one-by-one',
    10_000,
    `${whole}; against five awaited XADD and five awaited GET on a Redis alike`,
    async (stack) => {
      return startServer(stack, program('servers/seed-design.ts', await startQueueServer(stack)))
    },
  ),
  against(
    'vs-starter-capped',
    10_000,
    `${whole}; 10,000 users; against five awaited inserts and finds on a store behind the same cap, with the ${starterUsers} users that keep it busy (only ours is bound by the processors: a busy machine lowers the ratio)`,
    async (stack) => {
      const mongodb = stack.use(await startBackend('mongodb', { durability: 'process' }))
      const proxy = stack.use(await startFaultProxy({ target: mongodb.url, mongo: { perSecond: commandsPerSecond } }))
      return startServer(stack, program('servers/starter.ts', proxy.url))
    },
    starterUsers,
  ),
]
