import type { WorkItemStore } from '@ballast/state-stores/work-item'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'
import type { Server, Side } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'

/** The path between one process and the server. */
export interface Weather {
  /** Each way, from and to. */
  latencyMs: readonly [number, number]
  /** `refuse`: an error at once. The others swallow what passes in that direction; the caller waits for its time-out. */
  broken: 'no' | 'refuse' | 'both' | 'requests' | 'answers'
  /** Of each request and of each answer, the part that gets lost. */
  loss: number
  /** The part of requests that arrive a second time, up to some seconds later. */
  duplicates: number
}

export const fairWeather: Readonly<Weather> = { latencyMs: [0.2, 8], broken: 'no', loss: 0, duplicates: 0 }

export interface LinkParts {
  readonly machine: Machine
  readonly weather: Weather
  readonly server: Server
  readonly time: VirtualTime
  readonly random: Random
  /** A call without an answer fails after this time. */
  readonly timeoutMs: number
}

/** The store as a process sees it that has only a network between itself and it. */
export function storeOverLink(parts: LinkParts): WorkItemStore {
  const { store } = parts.server
  return {
    ...store,
    workers: overLink(parts, 'workers', store.workers),
    leaders: overLink(parts, 'leaders', store.leaders),
    operator: overLink(parts, 'operator', store.operator),
    rows: overLink(parts, 'rows', store.rows),
  }
}

function overLink<Calls extends object>(parts: LinkParts, side: Side, calls: Calls): Calls {
  return new Proxy(calls, {
    get:
      (_, method) =>
      (...given: readonly unknown[]) =>
        call(parts, side, String(method), given),
  })
}

function call(
  { machine, weather, server, time, random, timeoutMs }: LinkParts,
  side: Side,
  method: string,
  given: readonly unknown[],
): Promise<unknown> {
  const latency = () => random.between(...weather.latencyMs)
  const passes = (direction: 'requests' | 'answers') =>
    weather.broken !== direction && weather.broken !== 'both' && !random.chance(weather.loss)
  return new Promise((resolve, reject) => {
    let cancelTimeout: (() => void) | undefined
    const fail = (why: string) => {
      cancelTimeout?.()
      machine.deliver(() => reject(new Error(`${method}: ${why}`)))
    }
    if (weather.broken === 'refuse') {
      time.after(latency(), () => fail('connection refused'))
      return
    }
    cancelTimeout = time.after(timeoutMs, () => fail('timed out'))
    const send = (delayMs: number) => {
      if (!passes('requests')) return
      time.after(delayMs, () => {
        const answered = server.apply(machine.name, side, method, given)
        const answer = (deliver: () => void) => {
          if (!passes('answers')) return
          time.after(latency(), () => {
            cancelTimeout?.()
            machine.deliver(deliver)
          })
        }
        answered.then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        )
      })
    }
    send(latency())
    if (random.chance(weather.duplicates)) send(latency() + random.between(0, 3_000))
  })
}
