import { expect, test } from 'vitest'
import { replaceBlock } from './record.ts'

const text = `# Seen

<!-- written by npm run deploy:check -- --level kwok --record -->
old
<!-- end -->

<!-- written by npm run deploy:check -- --level node --record -->
older
<!-- end -->
`

test('figures of a level take the place of those of its last run, and touch no other', () => {
  const once = replaceBlock(text, 'node', 'A machine', [{ what: 'a | b', figure: '1' }])
  expect(once).toContain('A machine.\n\n| what | seen |\n|---|---|\n| a \\| b | 1 |\n<!-- end -->\n')
  expect(once).toContain('old\n')
  expect(once).not.toContain('older')
  expect(replaceBlock(once, 'node', 'A machine', [{ what: 'a | b', figure: '1' }])).toBe(once)
})

test('a level without a place in the document is an error', () => {
  expect(() => replaceBlock(text, 'server', '', [])).toThrow('--level server')
})
