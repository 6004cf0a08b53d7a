import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { suites } from './index.ts'

test('names are unique', () => {
  const names = suites.flatMap(({ cases }) => cases.map(({ name }) => name))
  expect(new Set(names).size).toBe(names.length)
})

test('every suite has its test', () => {
  const files = readdirSync(import.meta.dirname)
  for (const { name } of suites) expect(files).toContain(`${name}.test.ts`)
})
