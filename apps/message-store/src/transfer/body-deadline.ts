import type { App } from '@ballast/service'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its bodies may be of any size, and may take as long as the listener allows. */
    streams?: boolean
  }
}

/**
 * Ends clients that send a body slowly which is collected in memory. The listener's own limit cannot: it has to let
 * large uploads through, which hold no more than a piece at a time.
 */
export function limitCollectedBodies(app: App, withinMs: number): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { raw, method } = request
    // Asked last: Fastify makes it anew each time.
    if (method !== 'GET' && method !== 'HEAD' && request.routeOptions.config.streams !== true) {
      const timer = setTimeout(() => {
        if (!raw.complete) raw.destroy()
      }, withinMs).unref()
      raw.once('close', () => clearTimeout(timer))
    }
    done()
  })
}
