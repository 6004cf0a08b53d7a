import pg from 'pg'
import { messageOf } from '../message-of.ts'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'

/** SQLSTATE of a server's error, also of one that is the cause of ours; undefined for everything else. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return sqlState(error.cause)
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** The server said no; whatever the statement was to do is not done. */
export function isRefusal(error: unknown): boolean {
  const state = sqlState(error)
  // 08: the connection broke; 57P01 to 57P03: the server is going down or not yet up, and the connection with it; 40003:
  // it does not know itself.
  return state !== undefined && !state.startsWith('08') && !state.startsWith('57P') && state !== '40003'
}

/** It takes no writes: a standby, a primary that was made one, or one that is set to only read. */
export const isDemotion = (error: unknown): boolean => sqlState(error) === '25006'

const advice =
  'give the address of its primary, or of all servers (postgres://host1,host2/database); ' +
  'if it is the primary, set its default_transaction_read_only off'

/** What a failed statement means to whoever asked for it; `name` is how messages name the server. */
export function whatBecame(error: unknown, name: string): NotAppliedError | OutcomeUnknownError {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return error
  const options = { cause: error }
  const what = messageOf(error)
  if (isDemotion(error)) return new NotAppliedError(`${name} takes no writes (${what}): ${advice}`, options)
  if (isRefusal(error)) return new NotAppliedError(`${name} refused: ${what}`, options)
  return new OutcomeUnknownError(`${name} was lost before it answered: ${what}`, options)
}
