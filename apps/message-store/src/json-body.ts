import { isUtf8 } from 'node:buffer'
import type { App } from '@ballast/service'
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
    void parse(request, body.toString('utf8'), done)
  })
}
