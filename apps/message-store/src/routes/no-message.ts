import { sendProblem, type AnswerProblem } from '@ballast/service'
import type { FastifyReply } from 'fastify'
import type { WireFormat } from '../wire-format.ts'
import { answer } from './answer.ts'

export function answerNotFound(reply: FastifyReply, { notFound }: WireFormat): FastifyReply {
  return answer(reply.header('cache-control', 'no-store'), 404, notFound)
}

const leadsNowhere = new Set(['not-found', 'malformed-url', 'url-too-long'])

/**
 * A key that is none is a message that is not there; so is one that no route takes, because it cannot be decoded, has
 * slashes or is too long. All other problems are answered as such.
 */
export function answerNoMessage(format: WireFormat, methods: readonly string[]): AnswerProblem {
  return (problem, request, reply) => {
    const { method, url } = request
    if (leadsNowhere.has(problem.code) && methods.includes(method) && url.startsWith('/messages/')) {
      void answerNotFound(reply, format)
    } else {
      sendProblem(problem, request, reply)
    }
  }
}
