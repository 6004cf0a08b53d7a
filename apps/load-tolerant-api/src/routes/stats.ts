import type { Routes } from '@ballast/service'
import type { DocumentStore } from '@ballast/state-stores/document'
import type { WriteStream } from '@ballast/state-stores/stream'
import { Type } from 'typebox'
import { askStore } from '../ask-store.ts'
import { answerFixedError } from '../fixed-errors.ts'
import type { Timestamps } from '../timestamps.ts'
import { FixedError } from './data.ts'

const Answer = Type.Object({
  total_documents: Type.Integer(),
  pending_writes_in_stream: Type.Integer({ description: 'documents in the queue' }),
  timestamp: Type.String({ format: 'date-time' }),
})

/** `GET /api/stats`: asks the stores directly, so that it answers while the queue of requests is long. */
export const statsRoute: Routes<{ documents: DocumentStore; stream: WriteStream; timestamps: Timestamps }> = async (
  app,
  { documents, stream, timestamps },
) => {
  let counting: Promise<number> | undefined
  /** A server may count for seconds: whoever asks meanwhile gets the same figure. */
  const count = (): Promise<number> => (counting ??= documents.count().finally(() => (counting = undefined)))
  app.get(
    '/api/stats',
    {
      config: { role: 'reader' },
      errorHandler: answerFixedError,
      schema: { summary: 'How much is stored and queued', response: { 200: Answer, 503: FixedError } },
    },
    async (request) => {
      const [stored, backlog] = await askStore(request, () => Promise.all([count(), stream.backlog()]))
      return {
        total_documents: stored,
        pending_writes_in_stream: backlog.documents,
        timestamp: timestamps(Date.now()),
      }
    },
  )
}
