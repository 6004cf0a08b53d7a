import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { definitions } from './definitions.ts'

test('a run on another server is no cache hit: every variable that chooses one is an input of the tests', () => {
  const nx: { targetDefaults: { test: { inputs: (string | { env: string })[] } } } = JSON.parse(
    readFileSync(new URL('../../../nx.json', import.meta.url), 'utf8'),
  )
  const inputs = nx.targetDefaults.test.inputs.flatMap((input) => (typeof input === 'string' ? [] : [input.env]))
  const variables = Object.values(definitions).map(({ variable }) => variable)
  expect(inputs).toEqual(expect.arrayContaining([...variables, 'BACKENDS', 'BACKENDS_ENGINE', 'BACKENDS_INSTALL']))
})
