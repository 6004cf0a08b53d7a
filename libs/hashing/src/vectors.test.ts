import { expect, test } from 'vitest'
import vectors from '../vectors/vectors.json' with { type: 'json' }
import {
  Anchor,
  boundedRendezvous,
  hash32,
  jump,
  key64,
  Maglev,
  rendezvous,
  Ring,
  sha256,
  slotOf,
  slotsOf,
} from './index.ts'

// Each of these was computed by vectors/generate.py, which shares no code with this library.
const members = vectors.members.map(([name, weight]) => ({ name: String(name), weight: Number(weight) }))

test('digests and hashes', () => {
  expect(vectors.sha256.map(([text = '']) => [text, sha256(text)])).toEqual(vectors.sha256)
  expect(vectors.hash32.map(([text]) => [text, hash32(String(text))])).toEqual(vectors.hash32)
  expect(vectors.key64.map(([text = '']) => [text, String(key64(text))])).toEqual(vectors.key64)
})

test('slots', () => {
  expect(vectors.slot.map(([id, slots]) => [id, slots, slotOf(String(id), Number(slots))])).toEqual(vectors.slot)
  expect(vectors.slot.map(([id, slots]) => [id, slots, slotsOf([String(id)], Number(slots))[0]])).toEqual(vectors.slot)
})

test('rendezvous and bounded', () => {
  expect(vectors.rendezvous.map(([key = '']) => [key, rendezvous(key, members)?.name])).toEqual(vectors.rendezvous)
  const keys = vectors.rendezvous.map(([key = '']) => key)
  for (const [epsilon, owners] of vectors.bounded) {
    expect([...boundedRendezvous(keys, members, Number(epsilon))].map((i) => members[i]?.name)).toEqual(owners)
  }
})

test('jump', () => {
  expect(vectors.jump.map(([key = '', n]) => [key, n, jump(BigInt(key), Number(n))])).toEqual(vectors.jump)
})

test('maglev', () => {
  for (const [names, size, digest] of vectors.maglev) {
    const { table } = new Maglev(Array.isArray(names) ? names.toReversed() : [], Number(size))
    expect(sha256(table.join(','))).toBe(digest)
  }
})

test('anchor', () => {
  const anchor = new Anchor(16, 10)
  for (const bucket of vectors.anchorRemoved.slice(6)) anchor.remove(bucket)
  expect(vectors.anchor.map(([key = 0]) => [key, anchor.of(key)])).toEqual(vectors.anchor)
})

test('ring: the points and servers of libmemcached with weighted ketama', () => {
  expect.assertions(4)
  for (const [servers, digest, owners] of vectors.ring) {
    if (!Array.isArray(servers) || !Array.isArray(owners)) continue
    const ring = new Ring(servers.map(([name, weight]) => ({ name: String(name), weight: Number(weight) })))
    expect(sha256(ring.points.join(','))).toBe(digest)
    expect(owners.map(([key]) => [key, ring.of(String(key))])).toEqual(owners)
  }
})
