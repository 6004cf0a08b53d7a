import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { campaign, type Leadership } from './campaign.ts'
import { createLeases } from './leases.ts'
import { MemoryLeaseStore } from './memory.ts'
import type { Fence } from './port.ts'
import { fencedInMemory } from './test/fenced-memory.ts'
import { SimulatedProcess, SimulatedTime } from './test/simulation.ts'

/** A generator of one's own, so that a run is a function of its seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

interface Term {
  readonly process: SimulatedProcess
  readonly leadership: Leadership
}

const event = fc.record({
  kind: fc.constantFrom('stop', 'stop', 'jump', 'nothing', 'resign', 'forget'),
  process: fc.nat(4),
  forMs: fc.integer({ min: 1, max: 60_000 }),
  thenMs: fc.integer({ min: 100, max: 20_000 }),
})

async function run(
  { seed, size, errorRate, latencyMs, events, amnesia }: Scenario,
  seen = { terms: 0, refusedWrites: 0 },
): Promise<typeof seen> {
  const random = randomFrom(seed)
  const time = new SimulatedTime()
  const leases = new MemoryLeaseStore({ nowMs: () => time.nowMs() })
  const data = fencedInMemory(leases)
  const terms = new Set<Term>()
  let current: Fence | undefined
  const end = new AbortController()
  const wallClock = vi.spyOn(Date, 'now')

  const processes = Array.from({ length: size }, (_, index) => {
    const process = new SimulatedProcess(time, leases, { random, latencyMs, errorRate }, random() * 1e9)
    return { process, stop: new AbortController(), name: `candidate ${index}` }
  })
  const write = async (fence: Fence, leading: boolean): Promise<void> => {
    const accepted = await data.write('leader', fence, `${fence.epoch}`)
    if (!accepted) return void (seen.refusedWrites += 1)
    // Once a later leader has written, no earlier one does.
    expect(amnesia || fence.epoch >= (current?.epoch ?? 0n)).toBe(true)
    expect(leading || current === undefined || current.nonce === fence.nonce).toBe(true)
    current = fence
  }
  const work =
    (process: SimulatedProcess) =>
    async (leadership: Leadership): Promise<void> => {
      const term = { process, leadership }
      terms.add(term)
      seen.terms += 1
      await write(leadership.fence, leadership.leading)
      await new Promise<void>((resolve) => {
        if (leadership.signal.aborted) return resolve()
        leadership.signal.addEventListener('abort', () => resolve(), { once: true })
      })
      // The work needs a while to end, and goes on writing, as one that has not been looking does.
      await new Promise<void>((resolve) => void process.clock.after(random() * 8_000, resolve))
      await write(leadership.fence, false)
      terms.delete(term)
    }
  const campaigns = processes.map(async ({ process, stop, name }) => {
    const own = createLeases(process.store, { clock: process.clock, random, holder: name })
    const signal = AbortSignal.any([stop.signal, end.signal])
    await campaign(own, 'leader', work(process), { signal, clock: process.clock, random })
  })

  const check = (): void => {
    const running = [...terms].filter(({ process }) => process.running)
    const leading = running.filter(({ leadership }) => leadership.leading)
    const unaware = running.filter(({ leadership }) => !leadership.signal.aborted)
    const who = (): string =>
      `at ${time.nowMs()}: ${running.map(({ leadership }) => leadership.fence.epoch).join(', ')}`
    // A store that forgets lets a second one in; then only the fence is left.
    if (amnesia) return
    expect(leading.length, who()).toBeLessThanOrEqual(1)
    expect(unaware.length, who()).toBeLessThanOrEqual(1)
  }

  for (const { kind, process: index, forMs, thenMs } of events) {
    const target = processes[index % size]
    if (kind === 'stop') target?.process.stop(forMs)
    if (kind === 'jump') wallClock.mockReturnValue(Math.round((random() - 0.5) * 1e13))
    if (kind === 'resign' && index > 0) target?.stop.abort()
    if (kind === 'forget' && amnesia) leases.forget('leader')
    await time.advance(thenMs, check)
  }
  // Left alone, a store that answers has a leader again: nobody is locked out for ever.
  end.abort()
  await time.advance(300_000, check)
  await Promise.all(campaigns)
  expect(terms.size).toBe(0)
  wallClock.mockRestore()
  return seen
}

interface Scenario {
  readonly seed: number
  readonly size: number
  readonly errorRate: number
  readonly latencyMs: number
  readonly events: readonly { kind: string; process: number; forMs: number; thenMs: number }[]
  readonly amnesia: boolean
}

const scenario = (amnesia: boolean): fc.Arbitrary<Scenario> =>
  fc.record({
    seed: fc.integer(),
    size: fc.integer({ min: 1, max: 5 }),
    errorRate: fc.constantFrom(0, 0.1, 0.5),
    latencyMs: fc.constantFrom(0, 50, 3_000),
    events: fc.array(event, { minLength: 3, maxLength: 25 }),
    amnesia: fc.constant(amnesia),
  })

test('never two leaders, with stopped processes, lost requests, late answers, resignations and any time of day', async () => {
  const seen = { terms: 0, refusedWrites: 0 }
  await fc.assert(
    fc.asyncProperty(scenario(false), async (one) => void (await run(one, seen))),
    { numRuns: 120 },
  )
  // What was tried is worth something: there were many leaders, and some of them came too late.
  expect(seen.terms).toBeGreaterThan(120)
  expect(seen.refusedWrites).toBeGreaterThan(0)
})

test('a store that forgets lets two lead for a moment, and still takes the writes of one only', async () => {
  const seen = { terms: 0, refusedWrites: 0 }
  await fc.assert(
    fc.asyncProperty(scenario(true), async (one) => void (await run(one, seen))),
    { numRuns: 60 },
  )
  expect(seen.refusedWrites).toBeGreaterThan(0)
})
