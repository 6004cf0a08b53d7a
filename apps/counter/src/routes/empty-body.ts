import type { Routes } from '@ballast/service'

type App = Parameters<Routes>[0]

/**
 * Takes an empty body for none, also where its content type says JSON: many clients name one with every request. Whether
 * a route can do without is for its schema to say.
 */
export function acceptEmptyBody(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null)
    else void parse(request, body, done)
  })
}
