import { defineProblems } from '@ballast/service'

/** Every error of this service beside those of every service. Its routes answer them in the fixed form of the assessment. */
export const problems = defineProblems({
  'queue-full': { status: 503, title: 'The queue is at a bound; nothing was written' },
  overloaded: { status: 503, title: 'Too many requests are waiting for the queue; nothing was written' },
  'not-applied': { status: 503, title: 'The queue did not take the write; nothing was written' },
  'outcome-unknown': { status: 504, title: 'The queue did not say whether it took the write' },
  'write-dead': { status: 500, title: 'The document store refuses a document of this write for good' },
  'store-unavailable': { status: 503, title: 'A store did not answer' },
  'unknown-write': { status: 404, title: 'No write with this id is stored, queued or dead' },
})
