import type { Health, Routes } from '@ballast/service'
import type { WriteStream } from '@ballast/state-stores/stream'
import { Type } from 'typebox'
import type { Timestamps } from '../timestamps.ts'

const Timestamp = Type.String({ format: 'date-time' })
const Ok = Type.Object({ status: Type.Literal('ok'), timestamp: Timestamp })
const StoreState = Type.String({ description: '"connected", or what is wrong' })
const Ready = Type.Object({
  status: Type.Literal('ready'),
  timestamp: Timestamp,
  stream: StoreState,
  documents: StoreState,
  mongo: StoreState,
  redis: StoreState,
  queue: Type.Object({
    entries: Type.Integer(),
    documents: Type.Integer(),
    bytes: Type.Integer(),
    oldestAgeMs: Type.Integer(),
  }),
})
const NotReady = Type.Object({ status: Type.Literal('not ready'), error: Type.String() })

/**
 * The probes in the form of the assessment. `/readyz` is 200 while a write can be accepted durably: a document store
 * that is away is told in the body, because the queue takes over and every replica would leave at once.
 */
export const healthRoutes: Routes<{ health: Health; stream: WriteStream; timestamps: Timestamps }> = async (
  app,
  { health, stream, timestamps },
) => {
  app.get(
    '/healthz',
    {
      config: { role: 'public' },
      exposeHeadRoute: true,
      schema: { summary: 'The process answers', response: { 200: Ok } },
    },
    async () => ({ status: 'ok' as const, timestamp: timestamps(Date.now()) }),
  )
  app.get(
    '/readyz',
    {
      config: { role: 'public' },
      exposeHeadRoute: true,
      schema: { summary: 'Writes can be accepted durably', response: { 200: Ready, 503: NotReady } },
    },
    async (_request, reply) => {
      const timestamp = timestamps(Date.now())
      // Both at once: under load each answer of a store takes its time to be heard.
      const filling = stream.backlog()
      filling.catch(() => {})
      const { ok, checks } = await health.probe('readyz')
      void reply.header('cache-control', 'no-store')
      if (!ok) {
        const failing = checks.filter((check) => !check.ok && check.gates !== 'none')
        const error = failing.map(({ name, reason }) => `${name}: ${reason ?? 'failed'}`).join('; ')
        return reply.code(503).send({ status: 'not ready' as const, error })
      }
      const state = (wanted: string): string => {
        const check = checks.find(({ name }) => name === wanted)
        return check === undefined || check.ok ? 'connected' : (check.reason ?? 'failed')
      }
      const { entries, documents, bytes, oldestAgeMs } = await filling
      return {
        status: 'ready' as const,
        timestamp,
        stream: state('stream'),
        documents: state('documents'),
        // As the seed system calls them, whatever they are here.
        mongo: state('documents'),
        redis: state('stream'),
        queue: { entries, documents, bytes, oldestAgeMs: Math.round(oldestAgeMs) },
      }
    },
  )
}
