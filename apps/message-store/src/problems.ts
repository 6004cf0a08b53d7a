import { defineProblems } from '@ballast/service'

/** Every error of this app that has a body of this kind; the table in README.md is checked against it. */
export const problems = defineProblems({
  'invalid-message': { status: 400, title: 'The message has no UTF-8 form' },
  'invalid-name': { status: 400, title: 'The URL names nothing that could be stored' },
  'unsupported-condition': { status: 400, title: 'A write cannot be made to depend on this' },
  'upload-unknown': { status: 404, title: 'There is no such upload' },
  'upload-busy': { status: 409, title: 'The upload is being written by another request' },
  'name-taken': { status: 412, title: 'There is something under this name already' },
  'unsupported-encoding': { status: 415, title: 'The body has a content coding that is not taken here' },
  'range-not-satisfiable': { status: 416, title: 'The range begins behind the end' },
  'upload-offset': { status: 416, title: 'The piece is not the next one of this upload' },
  'digest-mismatch': { status: 422, title: 'The bytes are not those that the digest stands for' },
  'message-damaged': { status: 500, title: 'The stored bytes are not what was written' },
  'store-unavailable': { status: 503, title: 'What is stored cannot be read now' },
  'store-read-only': { status: 503, title: 'The store cannot be written' },
  'not-applied': { status: 503, title: 'Nothing was stored or deleted' },
  'outcome-unknown': { status: 504, title: 'Whether it was stored or deleted is unknown' },
  'store-full': { status: 507, title: 'There is no room for these bytes' },
})

export type ProblemCode = keyof typeof problems.types
