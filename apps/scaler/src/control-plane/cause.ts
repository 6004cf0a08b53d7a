import type { Cause } from './decide.ts'

/** For `explain`: why a row is with its owner. */
export function causeSentence(cause: Cause, workers: readonly string[]): string {
  const some = workers.slice(0, 3).join(', ')
  const named = workers.length > 3 ? `${some} and ${workers.length - 3} more` : some
  if (cause === 'strategy') return 'the strategy of the control plane has it so'
  if (cause === 'uneven') return 'rows were spread unevenly'
  if (workers.length === 0) return 'nobody owned it'
  return cause === 'joined' ? `${named} joined` : `${named} left or was drained`
}
