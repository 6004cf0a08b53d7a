import { expect, test } from 'vitest'
import { isLinearizable, type Call } from './linearizable.ts'

const call = (kind: Call['kind'], found: boolean | undefined, startedMs: number, endedMs = startedMs + 1): Call => ({
  kind,
  found,
  startedMs,
  endedMs: found === undefined ? Infinity : endedMs,
})

test.each([
  ['nothing', []],
  [
    'one after the other',
    [call('put', false, 0), call('get', true, 2), call('remove', true, 4), call('get', false, 6)],
  ],
  ['a read during a put may see it or not', [call('put', false, 0, 9), call('get', false, 2), call('get', true, 4)]],
  ['two puts at once, one of them first', [call('put', false, 0, 9), call('put', true, 1, 8)]],
  ['a put without an answer that happened', [call('put', undefined, 0), call('get', true, 5)]],
  ['a put without an answer that did not', [call('put', undefined, 0), call('get', false, 5), call('put', false, 7)]],
  [
    'a put without an answer that happened late',
    [call('put', undefined, 0), call('get', false, 5), call('get', true, 7)],
  ],
])('explained: %s', (_, history) => {
  expect(isLinearizable(history)).toBe(true)
})

test.each([
  ['an answered put that is not there', [call('put', false, 0), call('get', false, 2)]],
  ['a message that comes back', [call('put', false, 0), call('remove', true, 2), call('get', true, 4)]],
  ['two puts that both made it', [call('put', false, 0, 9), call('put', false, 1, 8)]],
  ['two removes that both took it', [call('put', false, 0), call('remove', true, 2, 9), call('remove', true, 3, 8)]],
  ['a read that goes back in time', [call('put', false, 0, 9), call('get', true, 2), call('get', false, 4)]],
])('not explained: %s', (_, history) => {
  expect(isLinearizable(history)).toBe(false)
})
