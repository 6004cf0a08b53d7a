import { ConfigError } from '@ballast/service'
import { expect, test } from 'vitest'
import { table } from './table.ts'
import { limitsChange, rowsAction } from './words.ts'

const id = '00000000-0000-4000-8000-000000000001'

test('rows: a verb, and a count or ids', () => {
  expect(rowsAction(['list'])).toEqual({ kind: 'list' })
  expect(rowsAction(['add', '10'])).toEqual({ kind: 'add', body: { count: 10 } })
  expect(rowsAction(['remove', id, id])).toEqual({ kind: 'remove', body: { ids: [id, id] } })
})

test.each([[], ['add'], ['drop', '1'], ['list', '1']].map((words) => [words] as const))(
  '%j: says what to write',
  (words) => {
    expect(() => rowsAction(words)).toThrow(/^write rows add <count>/)
  },
)

test.each(['0', '-1', '1e9', 'x'])('a row called %j is neither a count nor an id', (word) => {
  expect(() => rowsAction(['add', word])).toThrow(`"${word}" is neither a count nor an id`)
})

test('limits: numbers, switches and default; nothing else', () => {
  expect(limitsChange(['maxWorkers=20', 'autoscale=false', 'minWorkers=default'])).toEqual({
    maxWorkers: 20,
    autoscale: false,
    minWorkers: null,
  })
  for (const word of ['maxWorkers', 'maxWorkers=', 'maxWorkers=x', '=1']) {
    expect(() => limitsChange([word])).toThrow(/is no limit: write maxWorkers=20/)
  }
})

test('a limit that there is none of is wrong use', () => {
  expect(() => limitsChange(['foo=1'])).toThrow(ConfigError)
  expect(() => limitsChange(['foo=1'])).toThrow('"foo" is no limit; there are imbalancePermille,')
})

test('a table: numbers to the right, nothing after the last word of a line', () => {
  const text = table(
    ['name', 'rows', 'ok'],
    [
      ['a', 1, true],
      ['longer', 1_000, null],
    ],
  )
  expect(text.split('\n')).toEqual(['name    rows  ok', 'a          1  yes', 'longer  1000  -'])
})
