import type { Routes } from '@ballast/service'
import type { DocumentStore } from '@ballast/state-stores/document'
import type { WriteStream } from '@ballast/state-stores/stream'
import { Type } from 'typebox'
import { answerFixedError } from '../fixed-errors.ts'
import { problems } from '../problems.ts'
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
  app.get(
    '/api/stats',
    {
      config: { role: 'reader' },
      errorHandler: answerFixedError,
      schema: { summary: 'How much is stored and queued', response: { 200: Answer, 503: FixedError } },
    },
    async (request) => {
      try {
        const [stored, backlog] = await Promise.all([documents.count(), stream.backlog()])
        return {
          total_documents: stored,
          pending_writes_in_stream: backlog.documents,
          timestamp: timestamps(Date.now()),
        }
      } catch (cause) {
        // The answer is the original's and says little; which server it was stands here.
        request.log.warn({ err: cause }, 'the statistics could not be read')
        throw problems.create('store-unavailable', 'A store did not answer; try again.', {
          headers: { 'retry-after': '1' },
          cause,
        })
      }
    },
  )
}
