import type { FastifyRequest } from 'fastify'
import { expect, test } from 'vitest'
import { OpenRequests } from './open-requests.ts'

const named = (id: string): FastifyRequest => ({ id }) as FastifyRequest

test('knows who is open, and gives the place of who left to who comes', () => {
  const open = new OpenRequests()
  const places = ['a', 'b', 'c'].map((id) => open.enter(named(id)))
  open.leave(places[1] ?? 0)
  expect([open.size, [...open].map(({ id }) => id)]).toEqual([2, ['a', 'c']])
  for (let request = 0; request < 1000; request++) {
    const place = open.enter(named('d'))
    expect(place).toBe(places[1])
    open.leave(place)
  }
  expect([open.size, [...open].map(({ id }) => id)]).toEqual([2, ['a', 'c']])
})
