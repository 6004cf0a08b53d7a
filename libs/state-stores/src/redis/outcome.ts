import { ReplyError } from 'ioredis'
import { messageOf } from '../message-of.ts'
import { NotAppliedError, OutcomeUnknownError } from '../outcome.ts'

/** Answers with which a server has changed nothing: those it gives before a script begins, or at its first write. */
const refusal =
  /^-?(ERR Error running script.*-)?(OOM|READONLY|LOADING|MISCONF|NOAUTH|NOPERM|WRONGPASS|BUSY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN|MOVED|ASK|TRYAGAIN|NOSCRIPT|NOGROUP|BALLAST) /

/** Those with which it takes no write from anybody. */
const wholeStore =
  /^-?(ERR Error running script.*-)?(OOM|READONLY|LOADING|MISCONF|NOAUTH|NOPERM|WRONGPASS|BUSY|MASTERDOWN|NOREPLICAS|CLUSTERDOWN) /

/** What broke a connection. What the parser says of an answer that is none of Redis's would send people to its authors. */
export function troubleOf(error: unknown): string {
  const what = messageOf(error)
  if (/Unknown RESP type|^Protocol error/.test(what)) return 'what answers there is no Redis, or speaks TLS (rediss:)'
  return what
}

/** What a command that failed came to. A script that fails half way is neither refused nor lost: an `Error`. */
export function whatBecame(error: unknown, command: string, label: string): Error {
  if (error instanceof NotAppliedError || error instanceof OutcomeUnknownError) return error
  const message = troubleOf(error)
  if (error instanceof ReplyError) {
    const advice = isDemotion(error) ? demoted : ''
    const sentence = `${label} refused ${command}: ${message}${advice}`
    if (!refusal.test(message)) return new Error(sentence, { cause: error })
    return new NotAppliedError(sentence, { cause: error, wholeStore: wholeStore.test(message) })
  }
  if (message.startsWith("Stream isn't writeable")) {
    return new NotAppliedError(`${label} cannot be reached`, { cause: error, wholeStore: true })
  }
  return new OutcomeUnknownError(`${label} was lost while it worked on ${command}: ${message}`, { cause: error })
}

const demoted = ' It is a read-only replica now: let the URL name the primary, or all servers (redis://host1,host2/0).'

/** A fail-over made it a replica: its name may lead to the new primary already. */
export const isDemotion = (error: unknown): boolean => /^(READONLY|MASTERDOWN) /.test(messageOf(error))
