import { expect, test } from 'vitest'
import { youngGenerationFlags } from './young-generation.ts'

const large = 4 * 2 ** 30

test('a small young generation is asked for, unless Node takes less or somebody asked for another one', () => {
  expect(youngGenerationFlags(16, '--enable-source-maps', large)).toEqual(['--max-semi-space-size=16'])
  expect(youngGenerationFlags(undefined, '', large)).toEqual([])
  expect(youngGenerationFlags(16, '', 256 * 2 ** 20)).toEqual([])
  expect(youngGenerationFlags(16, '--max-semi-space-size=64', large)).toEqual([])
  expect(youngGenerationFlags(16, '--trace-warnings --max_semi_space_size=64', large)).toEqual([])
})
