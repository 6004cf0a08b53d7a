import { expect, test } from 'vitest'
import { parseLogLine } from './log-record.ts'

test('a pino line gives level, time, message and the rest as fields', () => {
  const line = '{"level":40,"time":1700000000000,"pid":7,"hostname":"h","name":"counter","msg":"slow","ms":12}'
  expect(parseLogLine('counter', line, 'stdout', 1)).toEqual({
    process: 'counter',
    level: 'warn',
    timeMs: 1_700_000_000_000,
    msg: 'slow',
    fields: { ms: 12 },
  })
})

test('named levels and ISO times are understood', () => {
  const line = '{"level":"error","time":"2026-01-01T00:00:00.000Z","msg":"x"}'
  expect(parseLogLine('a', line, 'stdout', 1)).toMatchObject({ level: 'error', timeMs: Date.UTC(2026, 0, 1) })
})

test.each(['plain words', '{"torn": ', '[1]', ''])('text that is no JSON object stays text: %s', (line) => {
  expect(parseLogLine('a', line, 'stderr', 5)).toEqual({
    process: 'a',
    level: 'error',
    timeMs: 5,
    msg: line,
    fields: {},
  })
  expect(parseLogLine('a', line, 'stdout', 5)).toMatchObject({ level: 'info', msg: line })
})
