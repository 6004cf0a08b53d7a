import { expect, test } from 'vitest'
import { describeFlags, parseCommandLine } from './command-line.ts'

const flags = {
  'port-base': { kind: 'integer', value: 'N', min: 1, max: 65_000, default: 4000, help: 'first port' },
  only: { kind: 'text', value: 'NAMES', help: 'some' },
  json: { kind: 'switch', help: 'machine' },
} as const

test('flags have types and defaults', () => {
  expect(parseCommandLine([], flags).flags).toEqual({ 'port-base': 4000, only: undefined, json: false })
  expect(parseCommandLine(['--port-base=5000', '--only', 'a,b', '--json'], flags).flags).toEqual({
    'port-base': 5000,
    only: 'a,b',
    json: true,
  })
})

test.each([
  [['--prot-base', '1'], 'Unknown flag --prot-base; --help lists the known ones.'],
  [['-x'], 'Unknown flag -x; --help lists the known ones.'],
  [['word'], 'Unexpected argument "word"; --help shows the usage.'],
  [['--port-base', 'many'], '--port-base needs a whole number from 1 to 65000, got "many".'],
  [['--port-base', '70000'], '--port-base needs a whole number from 1 to 65000, got "70000".'],
  [['--port-base'], '--port-base needs a whole number from 1 to 65000, got nothing.'],
  [['--only'], '--only needs a value: --only NAMES.'],
  [['--json=yes'], '--json takes no value.'],
])('%j is refused with one sentence', (argv, sentence) => {
  expect(() => parseCommandLine(argv, flags)).toThrow(sentence)
})

test('words are allowed up to a number', () => {
  expect(parseCommandLine(['counter', '--json'], flags, 1).words).toEqual(['counter'])
  expect(() => parseCommandLine(['counter', 'scaler'], flags, 1)).toThrow('Unexpected argument "scaler"')
})

test('help lines are aligned and name the default', () => {
  expect(describeFlags(flags)).toBe(
    ['  --port-base N   first port (default: 4000)', '  --only NAMES    some', '  --json          machine'].join('\n'),
  )
})
