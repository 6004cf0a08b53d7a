import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenBlob } from '@ballast/state-stores/blob'
import type { ResponseTurns } from './response-turns.ts'

/** Opens what is to be sent once it is the response's turn; it is closed with the response. `gone`: the client is. */
export async function openForReply<Opened extends { readonly blob: OpenBlob }>(
  turns: ResponseTurns,
  request: FastifyRequest,
  reply: FastifyReply,
  open: () => Promise<Opened | undefined>,
): Promise<Opened | 'gone' | undefined> {
  // Not before: an open blob has a file and a piece of it in memory.
  if (!(await turns.turnOf(request, reply))) return 'gone'
  const opened = await open()
  if (opened === undefined) return undefined
  const { blob } = opened
  // A body that is destroyed before it has begun closes nothing.
  const close = (): void => void blob.close().catch(() => {})
  if (reply.raw.destroyed) {
    close()
    return 'gone'
  }
  // What is in memory has nothing to be closed.
  if (blob.bytes === undefined) reply.raw.once('close', close)
  return opened
}
