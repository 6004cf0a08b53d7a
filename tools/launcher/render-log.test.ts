import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import type { LogRecord } from '../platform/log-record.ts'
import { renderLog } from './render-log.ts'

const record: LogRecord = {
  process: 'counter',
  level: 'warn',
  timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  msg: 'slow commit',
  fields: { ms: 12, path: '/data' },
}
const plain = { colour: false, nameWidth: 9 }

test('time, padded name, padded level, message, fields', () => {
  expect(renderLog(record, plain)).toBe('03:04:05.678 counter   warn  slow commit ms=12 path=/data')
})

test('colour changes nothing but the colour', () => {
  const coloured = renderLog(record, { ...plain, colour: true })
  expect(coloured).toContain('\u001B[')
  expect(stripVTControlCharacters(coloured)).toBe(renderLog(record, plain))
})

test('a message cannot break the line or move the cursor', () => {
  expect(renderLog({ ...record, msg: 'a\nb\u001B[2Jc', fields: { x: 'd\re' } }, plain)).toMatch(/a b \[2Jc x=d e$/)
})

test('many and long fields are cut', () => {
  const fields = Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`f${n}`, n]))
  expect(renderLog({ ...record, fields }, plain)).toMatch(/f5=5$/)
  expect(renderLog({ ...record, fields: { ids: 'x'.repeat(500) } }, plain)).toMatch(/ids=x{79}…$/)
})
