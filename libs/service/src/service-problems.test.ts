import { expect, test } from 'vitest'
import { defineProblems, Problem } from './problems.ts'
import { serviceProblems } from './service-problems.ts'

test('every code of the table is written in kebab-case and is an error', () => {
  for (const [code, { status, title }] of Object.entries(serviceProblems.types)) {
    expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(title).toMatch(/^[A-Z].*[^.]$/)
  }
})

test('a problem is an error whose body follows RFC 9457', () => {
  const table = defineProblems({ full: { status: 507, title: 'The store is full' } })
  const cause = new Error('ENOSPC')
  const problem = table.create('full', 'Delete something.', {
    extensions: { quotaBytes: '5' },
    headers: { 'retry-after': '9' },
    cause,
  })
  expect(problem).toBeInstanceOf(Problem)
  expect(problem).toMatchObject({ message: 'Delete something.', headers: { 'retry-after': '9' }, cause })
  expect(problem.body('/messages', 'abc')).toEqual({
    type: 'urn:ballast:problem:full',
    title: 'The store is full',
    status: 507,
    detail: 'Delete something.',
    code: 'full',
    instance: '/messages',
    traceId: 'abc',
    quotaBytes: '5',
  })
})
