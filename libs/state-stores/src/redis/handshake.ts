import { messageOf } from '../message-of.ts'
import type { RedisReply } from './connection.ts'
import { asText } from './reply.ts'
import { judgeServer, type ServerFacts } from './server-facts.ts'
import type { RedisTarget } from './url.ts'

export type Send = (...words: readonly (string | number)[]) => Promise<RedisReply>

/**
 * Makes a new connection one of ours. That of ioredis goes on when the database does not exist, in database 0, and
 * writes to the console about a password that is not needed. Rejects with the end of a sentence on the server.
 */
export async function greet(send: Send, { username, password, database }: RedisTarget, name: string): Promise<void> {
  if (password !== undefined) {
    await send('AUTH', ...(username === undefined ? [] : [username]), password).catch((cause: unknown) => {
      // A server that asks for no password lets in whoever has one.
      if (/without any password configured/.test(messageOf(cause))) return
      if (!/WRONGPASS|invalid username-password/.test(messageOf(cause))) throw cause
      throw new Error('the user name or the password is wrong: correct them', { cause })
    })
  }
  // Nothing but a help for whoever looks at CLIENT LIST.
  await send('CLIENT', 'SETNAME', name).catch(() => {})
  if (database !== 0) {
    await send('SELECT', database).catch((cause: unknown) => {
      throw new Error(`it has no database ${database} (${messageOf(cause)}): choose another number`, { cause })
    })
  }
}

/** Cost: two round trips. Rejects while the server loads its data. */
export async function inspect(send: Send, mayForget: boolean): Promise<ServerFacts> {
  const info = await send('INFO').catch((cause: unknown) => {
    const needed = /NOAUTH/.test(messageOf(cause))
    throw needed ? new Error('it asks for a password: put it into the URL', { cause }) : cause
  })
  // Until then it says `aof_enabled:0`, whatever is set (`loadSingleAppendOnlyFile` of Redis 7).
  if (/^loading:1\r?$/m.test(asText(info))) throw new Error('it is still reading its data from its disk')
  const settings = await send('CONFIG', 'GET', 'appendfsync', 'no-appendfsync-on-rewrite').catch((error: unknown) => {
    if (/unknown command|NOPERM|not allowed|disabled/i.test(messageOf(error))) return []
    throw error
  })
  return judgeServer(asText(info), pairs(settings), mayForget)
}

function pairs(reply: RedisReply): Record<string, string> {
  const words = Array.isArray(reply) ? reply.map(String) : []
  return Object.fromEntries(words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? '']] : [])))
}
