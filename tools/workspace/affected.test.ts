import { expect, test } from 'vitest'
import { affectedBy, dependents } from './affected.ts'
import { readProjects } from './projects.ts'

const projects = readProjects()
const libs = projects.filter(({ kind }) => kind === 'lib').map(({ name }) => name)

test.each(libs)('touching libs/%s re-runs exactly the projects that depend on it', { timeout: 60_000 }, (lib) => {
  const affected = affectedBy(`libs/${lib}/src/index.ts`)
  expect(affected).toEqual(dependents(lib, projects))
  expect(affected).not.toEqual(projects.map(({ name }) => name).toSorted())
})

test('touching an app re-runs only it, what ships it and what starts it', { timeout: 60_000 }, () => {
  expect(affectedBy('apps/counter/src/main.ts')).toEqual(['counter', 'deploy', 'tools'])
})
