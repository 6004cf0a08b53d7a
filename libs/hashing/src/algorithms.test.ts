import { expect, test } from 'vitest'
import { Anchor, boundedRendezvous, hash32, jump, key64, Maglev, Ring } from './index.ts'

const keys = Array.from({ length: 20_000 }, (_, i) => `key ${i}`)
const names = Array.from({ length: 10 }, (_, i) => `worker-${i}`)
const equal = (of: readonly string[]) => of.map((name) => ({ name, weight: 1 }))
const jumpOf = (buckets: number) => keys.map((key) => names[jump(key64(key), buckets)] ?? '')
const ringOf = (of: readonly string[]) => {
  const ring = new Ring(equal(of))
  return keys.map((key) => ring.of(key))
}
const maglevOf = (of: readonly string[]) => {
  const maglev = new Maglev(of)
  return keys.map((key) => maglev.of(key))
}
const boundedOf = (of: readonly string[], epsilon: number) =>
  [...boundedRendezvous(keys, equal(of), epsilon)].map((i) => of[i] ?? '')
const anchorOf = (anchor: Anchor) => keys.map((key) => names[anchor.of(hash32(key))] ?? '')
const changed = (before: readonly string[], after: readonly string[]) =>
  before.flatMap((owner, i) => (owner === after[i] ? [] : [{ from: owner, to: after[i] }]))
const most = (owners: readonly string[]) => Math.max(...names.map((name) => owners.filter((o) => o === name).length))
const left = names.filter((name) => name !== 'worker-4')
const fewest = keys.length / names.length

test('jump: one more bucket takes its part of the keys, nobody else any', () => {
  const moves = changed(jumpOf(9), jumpOf(10))
  expect(moves.every(({ to }) => to === 'worker-9')).toBe(true)
  expect(Math.abs(moves.length - fewest)).toBeLessThan(6 * Math.sqrt(fewest))
  expect(() => jump(1n, 0)).toThrow('buckets must be 1 or more, not 0')
})

test('ring: a server that leaves moves its own keys only', () => {
  const before = ringOf(names)
  expect(changed(before, ringOf(left)).every(({ from }) => from === 'worker-4')).toBe(true)
  expect(most(before)).toBeLessThan(fewest * 1.3)
  expect(() => new Ring([])).toThrow('each once')
})

test('ring: a point belongs to its server, and what lies beyond the last point to the first, whatever the order of the servers', () => {
  const ring = new Ring(equal(names))
  // The text of a point hashes to that point.
  expect(names.map((name) => ring.of(`${name}-0`))).toEqual(names)
  const few = [
    ['a', 'b'],
    ['b', 'a'],
  ].map((of) => new Ring(equal(of)))
  const [one = [], other] = few.map((ring) => Array.from({ length: 60_000 }, (_, i) => ring.of(`key ${i}`)))
  expect(one).toEqual(other)
})

test('maglev: entries within one of each other, few others move', () => {
  const counts = names.map(() => 0)
  for (const member of new Maglev(names).table) counts[member] = (counts[member] ?? 0) + 1
  expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  const moves = changed(maglevOf(names), maglevOf(left))
  expect(moves.filter(({ from }) => from !== 'worker-4').length).toBeLessThan(keys.length * 0.03)
  expect(() => new Maglev(names, 65_536)).toThrow('size must be a prime')
})

test('anchor: a removal moves the keys of that bucket evenly, adding moves exactly those back', () => {
  const anchor = new Anchor(64, 10)
  const before = anchorOf(anchor)
  anchor.remove(4)
  const after = anchorOf(anchor)
  const moves = changed(before, after)
  expect(moves.every(({ from }) => from === 'worker-4')).toBe(true)
  expect(most(after)).toBeLessThan((keys.length / 9) * 1.08)
  anchor.remove(7)
  expect(anchor.size).toBe(8)
  expect([anchor.add(), anchor.add(), anchorOf(anchor)]).toEqual([7, 4, before])
  anchor.remove(3)
  expect(() => anchor.remove(3)).toThrow('bucket 3 cannot be removed')
})

test.each([0, 0.05])('bounded rendezvous: nobody holds more than the bound of %d', (epsilon) => {
  const before = boundedOf(names, epsilon)
  expect(most(before)).toBeLessThanOrEqual(Math.ceil(fewest * (1 + epsilon)))
  expect(changed(before, boundedOf(left, epsilon)).length).toBeLessThan(fewest * 1.3)
  expect(() => boundedRendezvous(keys, [], epsilon)).toThrow('no members')
})
