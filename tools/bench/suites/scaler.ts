import type { Suite } from '../case.ts'
import { rowsAtOneHertz, tickP99 } from './scaler/at-one-hertz.ts'
import { joinReaction } from './scaler/join-reaction.ts'
import { fencedVsUnfenced, tickVsRowByRow } from './scaler/one-tick.ts'

export const scaler: Suite = {
  name: 'scaler',
  summary:
    'ticking rows in PostgreSQL: against a statement a row, against no fence, how many a second, how soon a plan',
  cases: [tickVsRowByRow, fencedVsUnfenced, joinReaction, tickP99, rowsAtOneHertz],
}
