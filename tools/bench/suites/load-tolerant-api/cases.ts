import { startBackend } from '@ballast/backends'
import { startFaultProxy } from '@ballast/fault-proxy'
import type { BenchCase, Effort } from '../../case.ts'
import { program, startServer } from '../../server.ts'
import { commandsPerSecond, openSystem, type WholeSystem } from './system.ts'
import { users, type UsersResult } from './users.ts'

/** Processes of the api. */
const workers = 2
/** Longer rounds than those of other suites: ten thousand connections take seconds to be made, and a queue to grow. */
const durationOf = (connections: number, { measureMs }: Effort): number =>
  measureMs * (connections > 1000 && measureMs >= 1000 ? 7 : 4)

/** Fewer users in a run that only tries whether it works at all. */
const usersOf = (count: number, { measureMs }: Effort): number => (measureMs < 1000 ? Math.min(count, 50) : count)

interface Run extends UsersResult {
  readonly worstSecond: number
  readonly memoryMb: number
  readonly drainSeconds: number
}

/** Each run of a number of users shows several figures; a case whose figures are there already takes those, round by round. */
const runs = new Map<number, Run[]>()

/** A load, and then the backlog drains: else the queue of one round would be full in another. */
async function runOnce(
  system: WholeSystem,
  connections: number,
  effort: Effort,
  durationMs = durationOf(connections, effort),
): Promise<Run> {
  const { url, journal } = system
  const result = await users({ url, connections: usersOf(connections, effort), durationMs, journal })
  system.unanswered(result.unanswered)
  const drainSeconds = (await system.drained()) / 1000
  return { ...result, drainSeconds, worstSecond: system.writeCommands.worstSecond, memoryMb: system.mostMemory() }
}

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
    compares,
    async open(stack, effort) {
      const kept = runs.get(connections) ?? []
      runs.set(connections, kept)
      // The first turn is not counted.
      const enough = kept.length > effort.rounds
      const system = enough ? undefined : await openSystem(stack, workers)
      let turn = 0
      return {
        async ours() {
          const run = kept[turn++] ?? (system === undefined ? undefined : await runOnce(system, connections, effort))
          if (run === undefined) throw new TypeError('a round is missing')
          if (turn > kept.length) kept.push(run)
          return figure(run)
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
  startPeer: (stack: AsyncDisposableStack, effort: Effort) => Promise<string>,
  peerConnections = connections,
): BenchCase {
  return {
    name: `load/${name}`,
    unit: 'requests/s',
    higherIsBetter: true,
    compares,
    async open(stack, effort) {
      const peerUrl = await startPeer(stack, effort)
      const system = await openSystem(stack, workers)
      const peer = {
        url: peerUrl,
        connections: usersOf(peerConnections, effort),
        durationMs: durationOf(connections, effort),
      }
      return {
        ours: async () => (await runOnce(system, connections, effort)).perSecond,
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
  compares: `${whole}; right answers within 2 s with 10,000 users, against the same system with 1,000`,
  async open(stack, effort) {
    const system = await openSystem(stack, workers)
    const goodput = (count: number) => async () => (await runOnce(system, count, effort)).goodPerSecond
    return { ours: goodput(10_000), peer: goodput(1000) }
  },
}

/** The whole of it once, in full length: a minute of load by 10,000 users, and how long the backlog takes after it. */
const minuteAndDrain: BenchCase = {
  name: 'load/10k-60s-drain-s',
  unit: 's',
  higherIsBetter: false,
  long: true,
  compares: `${whole}; 10,000 users for 60 s (or --long-seconds), then until all of it is stored; all ids are verified`,
  async open(stack, effort) {
    const system = await openSystem(stack, workers)
    const durationMs = effort.longMs === undefined ? 1000 : Math.min(effort.longMs, 60_000)
    let run: Promise<Run> | undefined
    return { ours: async () => (await (run ??= runOnce(system, 10_000, effort, durationMs))).drainSeconds }
  },
}

/** The seed system's published rate, as an open loop: what a user sees who does not wait for others. */
const publishedRate = 2333
const constantRate: BenchCase = {
  name: 'load/constant-rate-p99-ms',
  unit: 'ms',
  higherIsBetter: false,
  compares: `${whole}; ${publishedRate} requests a second at fixed times on 338 connections; 99 % are faster, counted from when they were due`,
  async open(stack, effort) {
    const system = await openSystem(stack, workers)
    return {
      async ours() {
        const result = await users({
          url: system.url,
          connections: usersOf(338, effort),
          durationMs: durationOf(338, effort),
          journal: system.journal,
          ratePerSecond: effort.measureMs < 1000 ? 100 : publishedRate,
        })
        system.unanswered(result.unanswered)
        await system.drained()
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
    `${whole}; 10,000 users without think time; 95 % are faster`,
    ({ p95Ms }) => p95Ms,
  ),
  ofSystem('10k-p99-ms', 'ms', 10_000, 'the same runs; 99 % are faster', ({ p99Ms }) => p99Ms),
  ofSystem(
    '10k-errors',
    'requests',
    10_000,
    'the same runs; failed, or two seconds and slower',
    ({ errors }) => errors,
  ),
  ofSystem(
    'write-commands-per-s',
    'commands',
    10_000,
    'the same runs; the worst sliding second at the proxy until then',
    ({ worstSecond }) => worstSecond,
  ),
  ofSystem('10k-rss-mb', 'MB', 10_000, 'the same runs; most memory of one api process', ({ memoryMb }) => memoryMb),
  minuteAndDrain,
  ofSystem('338-p95-ms', 'ms', 338, `${whole}; 338 users, 95 % are faster`, ({ p95Ms }) => p95Ms),
  ofSystem('338-requests-per-s', 'requests/s', 338, 'the same runs; answers a second', ({ perSecond }) => perSecond),
  constantRate,
  goodputAtTenfold,
  against(
    '10k-vs-one-by-one',
    10_000,
    `${whole}; against five awaited XADD and five awaited GET on a Redis alike`,
    async (stack) => {
      const redis = stack.use(await startBackend('redis', { durability: 'process' }))
      return startServer(stack, program('servers/seed-design.ts', redis.url))
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
