import { serviceProblems, type App } from '@ballast/service'

const own = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i

/**
 * Whoever is on this machine may look, so a page of another origin must not: it could, were its name made to point here (DNS rebinding).
 * The browser says in `Host` under which name it asks.
 */
export function refuseOtherHosts(app: App): void {
  app.addHook('onRequest', async ({ headers: { host } }) => {
    if (host === undefined || own.test(host)) return
    throw serviceProblems.create(
      'forbidden',
      'The console answers as localhost or 127.0.0.1 only: open it under such a name.',
    )
  })
}
