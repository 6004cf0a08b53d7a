import { defineProblems } from '@ballast/service'

export const problems = defineProblems({
  'count-or-ids': { status: 400, title: 'Either a count or a list of ids is needed, and not both' },
  'worker-not-found': { status: 404, title: 'There is no live worker of that name' },
  'row-not-found': { status: 404, title: 'There is no row with that id' },
  'store-unavailable': { status: 503, title: 'The database is away or busy; nothing was changed' },
  'outcome-unknown': { status: 504, title: 'The database did not answer; the change may have been made' },
})
