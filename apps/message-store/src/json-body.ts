import { isUtf8 } from 'node:buffer'
import { serviceProblems, type App } from '@ballast/service'
import { problems } from './problems.ts'

/**
 * JSON bodies only, and only those that are UTF-8. The usual parser turns stray bytes into U+FFFD in silence: then two
 * different messages would have one digest, and a third one would be returned for both.
 */
export function takeJsonBodies(app: App): void {
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (!isUtf8(body)) {
      done(problems.create('invalid-message', 'The body is not UTF-8, which JSON has to be (RFC 8259, 8.1).'))
      return
    }
    const text = body.toString('utf8')
    void parse(request, text, (error, parsed) => {
      done(error !== null && isJson(text) ? problems.create('invalid-message', forbiddenKey) : error, parsed)
    })
  })
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.method !== 'POST' || request.headers['content-type'] !== undefined) done()
    else done(serviceProblems.create('unsupported-media-type', 'Say Content-Type: application/json.'))
  })
  refuseEncodedBodies(app)
}

/** JSON is taken as it is: what says that it is encoded would be read as something that it is not. */
export function refuseEncodedBodies(app: App): void {
  app.addHook('onRequest', ({ headers }, _reply, done) => {
    const coding = headers['content-encoding']?.trim().toLowerCase() ?? ''
    if (coding === '' || coding === 'identity') return done()
    const detail = `Content-Encoding may only be identity here, not ${coding}.`
    return done(problems.create('unsupported-encoding', detail, { headers: { 'accept-encoding': 'identity' } }))
  })
}

const forbiddenKey = 'The body has a key __proto__ or constructor.prototype; a message has only the key "message".'

/** What the parser refuses although it is JSON has such a key; it says "not JSON" for both. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
