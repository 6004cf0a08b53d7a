import { describe, expect, test } from 'vitest'
import { violations, type Project } from './boundaries.ts'
import { readProjects } from './projects.ts'

const project = (name: string, kind: Project['kind'], dependencies: string[], devDependencies: string[] = []) => ({
  name,
  kind,
  dependencies,
  devDependencies,
  starts: [],
})

test('this workspace keeps its boundaries', () => {
  const projects = readProjects()
  expect(projects.map(({ name }) => name)).toContain('state-stores')
  expect(violations(projects)).toEqual([])
})

/** The canary: a check that cannot fail proves nothing. */
describe('the check fails', () => {
  const libs = [project('hashing', 'lib', []), project('testing', 'testing', [])]

  test.each([
    ['when a lib imports an app', [project('counter', 'app', []), project('service', 'lib', ['counter'])]],
    ['when the pure lib gains a dependency', [project('locking', 'lib', []), project('hashing', 'lib', ['locking'])]],
    ['when production code uses the test library', [...libs, project('counter', 'app', ['testing'])]],
    ['when an app uses another, even in tests', [project('a', 'app', []), project('b', 'app', [], ['a'])]],
    ['when a lib that is not listed appears', [...libs, project('helpers', 'lib', ['hashing'])]],
    ['when somebody depends on the tools', [project('tools', 'tool', []), project('counter', 'app', ['tools'])]],
  ])('%s', (_, projects) => {
    expect(violations(projects)).toHaveLength(1)
  })

  test('once for a cycle', () => {
    const ring = [project('a', 'app', ['b']), project('b', 'app', ['c']), project('c', 'app', ['a'])]
    expect(violations(ring).filter((line) => line.startsWith('cycle'))).toEqual(['cycle: a -> b -> c -> a'])
  })
})
