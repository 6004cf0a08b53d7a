import { expect, test } from 'vitest'
import { timestampsOf } from './timestamps.ts'

test('both dialects of the original', () => {
  const ms = Date.UTC(2026, 1, 17, 10, 11, 12, 34)
  expect(timestampsOf('node')(ms)).toBe('2026-02-17T10:11:12.034Z')
  const python = timestampsOf('python')
  expect([python(ms), python(ms), python(ms + 1)]).toEqual([
    '2026-02-17T10:11:12.034000',
    '2026-02-17T10:11:12.034000',
    '2026-02-17T10:11:12.035000',
  ])
})
