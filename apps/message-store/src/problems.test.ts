import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { problems } from './problems.ts'

test('the error table of README.md is the one of the code', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| ([^|]+) \|/gm)]
  const documented = rows.map(([, code, status, title]) => [code, { status: Number(status), title: title?.trim() }])
  expect(Object.fromEntries(documented)).toEqual(problems.types)
})
