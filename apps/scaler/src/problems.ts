import { defineProblems } from '@ballast/service'

export const problems = defineProblems({
  'count-or-ids': { status: 400, title: 'Either a count or a list of ids is needed, and not both' },
  'worker-not-found': { status: 404, title: 'There is no live worker of that name' },
  'row-not-found': { status: 404, title: 'There is no row with that id' },
  resuming: { status: 409, title: 'Rows are being prepared to go on after a pause' },
  'strategy-unknown': { status: 400, title: 'There is no such strategy' },
  'limits-disagree': { status: 400, title: 'These limits exclude each other' },
  'store-refused': {
    status: 500,
    title: 'The database refuses this, and will again until something about it is changed',
  },
  'store-unavailable': { status: 503, title: 'The database is away or busy; nothing was changed' },
  'outcome-unknown': { status: 504, title: 'The database did not answer; the change may have been made' },
})
