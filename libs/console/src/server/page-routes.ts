import type { Routes } from '@ballast/service'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { assetNames, loadAssets } from './assets.ts'

export interface PageOptions {
  /** `/ui`, or `/` for the page of the whole platform. */
  readonly url: string
  /** The service whose page this is; undefined: all of them. */
  readonly service: string | undefined
  /** For who does not ask for HTML. */
  readonly asText: (request: FastifyRequest) => Promise<string>
  /** Somebody gets the page, and will read what is told to it in a moment. */
  readonly opened: () => void
}

/** For so long a browser is waited for that has got the page: to fetch the script, to run it, to ask. */
export const openingMs = 5_000

/** Nothing from anywhere else, nothing inline, and no other page may frame this one. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** The page, its script and its style. They hold no data, so anyone may have them; the data asks for a role. */
export const pageRoutes: Routes<PageOptions> = async (app, { url, service, asText, opened }) => {
  app.get(
    url,
    { config: { role: 'public', unlimited: true }, schema: { hide: true }, exposeHeadRoute: true },
    async (request, reply) => {
      void harden(reply).header('vary', 'accept').header('cache-control', 'no-store')
      if (!(request.headers.accept ?? '').includes('text/html')) {
        return reply.type('text/plain; charset=utf-8').send(await asText(request))
      }
      opened()
      return reply.type('text/html; charset=utf-8').send(pageText(service))
    },
  )
  for (const name of assetNames) {
    app.get(
      `/ui/${name}`,
      { config: { role: 'public', unlimited: true }, schema: { hide: true }, exposeHeadRoute: true },
      async ({ headers }, reply) => {
        const asset = (await loadAssets())[name]
        void harden(reply)
          .header('etag', asset.etag)
          .header('cache-control', 'no-cache')
          .header('vary', 'accept-encoding')
        if (headers['if-none-match'] === asset.etag) return reply.code(304).send()
        const encoding = (['br', 'gzip'] as const).find((each) => headers['accept-encoding']?.includes(each))
        if (encoding !== undefined) void reply.header('content-encoding', encoding)
        return reply.type(asset.contentType).send(asset[encoding ?? 'plain'])
      },
    )
  }
}

function harden(reply: FastifyReply): FastifyReply {
  return reply
    .header('content-security-policy', policy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer')
}

/** `service` is a name of ours, never input. */
function pageText(service: string | undefined): string {
  return `<!doctype html>
<html lang="en" data-service="${service ?? ''}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${service ?? 'Ballast'}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="ui/console.css">
<div id="app"></div>
<noscript>This page needs JavaScript. The same as text: curl this address.</noscript>
<script src="ui/console.js"></script>
`
}
