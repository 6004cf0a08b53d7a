import { expect, test } from 'vitest'
import { isRecent } from './find-kubectl.ts'

test.each([
  ['Client Version: v1.32.4\nKustomize Version: v5.5.0', true],
  ['Client Version: v1.30.0\nKustomize Version: v5.0.4', true],
  // As Debian 12 has it.
  ['Client Version: version.Info{Major:"1", Minor:"20", GitVersion:"v1.20.2"}', false],
  ['', false],
])('%s', (answer, verdict) => {
  expect(isRecent(answer)).toBe(verdict)
})
