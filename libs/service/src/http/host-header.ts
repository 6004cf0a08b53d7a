import type { onRequestHookHandler } from 'fastify'
import { serviceProblems } from '../service-problems.ts'

/** RFC 9112, 3.2: two Host headers are a 400, for whoever stands in front may have decided by the other one. Node takes the first. */
export const refuseSecondHost: onRequestHookHandler = ({ raw: { rawHeaders } }, reply, done) => {
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1
  }
  if (hosts < 2) return done()
  void reply.header('connection', 'close')
  done(serviceProblems.create('malformed-request', 'A request has one Host header.'))
}
