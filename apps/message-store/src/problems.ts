import { defineProblems } from '@ballast/service'

/** Every error of this app that has a body of this kind; the table in README.md is checked against it. */
export const problems = defineProblems({
  'invalid-message': { status: 400, title: 'The message has no UTF-8 form' },
  'message-damaged': { status: 500, title: 'The stored bytes are not what was written' },
  'not-applied': { status: 503, title: 'The message was not stored or deleted' },
  'outcome-unknown': { status: 504, title: 'Whether the message was stored or deleted is unknown' },
  'store-full': { status: 507, title: 'There is no room for this message' },
})

export type ProblemCode = keyof typeof problems.types
