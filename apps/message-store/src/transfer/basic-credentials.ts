import type { App, Authenticator } from '@ballast/service'

/** git-lfs, restic and container tools send a password only: it is taken for the token, whatever the user's name is. */
export function acceptBasic(authenticator: Authenticator): Authenticator {
  if (authenticator.scheme !== 'tokens') return authenticator
  return {
    scheme: authenticator.scheme,
    identify: (request) => {
      const [, encoded] = /^basic +([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '') ?? []
      if (encoded !== undefined) {
        const credentials = Buffer.from(encoded, 'base64').toString('utf8')
        request.headers.authorization = `Bearer ${credentials.slice(credentials.indexOf(':') + 1)}`
      }
      return authenticator.identify(request)
    },
  }
}

/** These clients send their password only when they are asked for it in this way. */
export function challengeBasic(app: App): void {
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode === 401) void reply.header('www-authenticate', 'Basic realm="ballast", charset="UTF-8"')
  })
}
