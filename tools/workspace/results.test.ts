import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '@ballast/testing'
import { readResults, summarize, writeChecks } from './results.ts'

test('tests and checks are counted alike, and what was skipped keeps its name', async () => {
  await using folder = await temporaryFolder()
  const tests = ['passed', 'passed', 'failed', 'pending'].map((status, index) => ({
    status,
    fullName: `test ${index}`,
  }))
  const report = {
    numPassedTests: 2,
    numFailedTests: 1,
    numFailedTestSuites: 1,
    testResults: [{ assertionResults: tests }],
  }
  writeFileSync(join(folder.path, 'counter.json'), JSON.stringify(report))
  writeChecks(
    [
      { name: 'lint', passed: true },
      { name: 'types', passed: false },
    ],
    folder.path,
  )
  expect(readResults(folder.path)).toEqual([
    { name: 'checks', passed: 1, failed: 1, skipped: [] },
    { name: 'counter', passed: 2, failed: 1, skipped: ['test 3'] },
  ])
})

test('a file that could not be loaded counts as a failure although no test of it failed', () => {
  const report = {
    numPassedTests: 0,
    numFailedTests: 0,
    numFailedTestSuites: 1,
    testResults: [{ assertionResults: [] }],
  }
  expect(summarize('broken', JSON.stringify(report)).failed).toBe(1)
})

test('no results at all are no passes', () => {
  expect(readResults('/nonexistent')).toEqual([])
})
