import { checkHistory } from '@ballast/state-stores/counter/history'
import { waitUntil } from '@ballast/testing'
import { expect } from 'vitest'
import { addUntilStopped, readUntilStopped, type Where } from './clients.ts'

const clients = 8

export interface Killing {
  readonly where: Where
  /** Kills a process, at a moment that differs from round to round, and sees to it that another one takes its place. */
  readonly kill: (round: number) => Promise<void>
}

/** Counts while processes die, and checks all that was answered: distinct values, in real-time order, none missing. */
export async function survive(rounds: number, { where, kill }: Killing): Promise<bigint> {
  const value = async (): Promise<number> => {
    const answer = await fetch(where() ?? '', { headers: { accept: 'text/plain' }, signal: AbortSignal.timeout(5_000) })
    if (!answer.ok) throw new Error(await answer.text())
    return Number(await answer.text())
  }
  const read = () => waitUntil(async () => ({ value: await value() }), { timeoutMs: 60_000, what: 'an answer' })
  const stop = new AbortController()
  const adding = Array.from({ length: clients }, () => addUntilStopped(where, stop.signal))
  const reading = readUntilStopped(where, stop.signal)
  for (let round = 0; round < rounds; round++) {
    const enough = (await read()).value + 10 + ((round * 37) % 60)
    await waitUntil(async () => (await read()).value > enough, { timeoutMs: 60_000, what: 'additions' })
    await kill(round)
  }
  stop.abort()
  const additions = (await Promise.all(adding)).flat()
  const readings = await reading
  const final = BigInt((await read()).value)
  expect(checkHistory({ initial: 0n, additions, readings, final })).toEqual({
    acknowledged: additions.length,
    unknown: 0,
    violations: [],
  })
  expect(additions.length).toBeGreaterThan(rounds * 10)
  return final - BigInt(additions.length)
}
