import { createServer } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { ConfigError } from '../config/config-error.ts'
import type { ServiceSettings } from '../config/service-options.ts'
import type { Health } from '../health.ts'
import { swapTls, type TlsMaterial } from '../tls.ts'
import { bind } from './bind.ts'
import { isLoopback, parseListenAddress, showAddress, type ListenAddress } from './listen-address.ts'
import type { Served } from './service.ts'

export interface ListenerOptions {
  readonly settings: ServiceSettings
  readonly prefix: string
  readonly log: FastifyBaseLogger
  readonly health: Health
  /** One of several processes behind one address, of which the primary tells. */
  readonly isWorker: boolean
}

/** The place where requests come in. */
export class Listener {
  readonly #options: ListenerOptions
  #app: Served | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  get listening(): boolean {
    return this.#app !== undefined
  }

  get openRequests(): readonly string[] {
    return this.#app?.openRequests() ?? []
  }

  async listen(app: Served): Promise<string> {
    if (this.#app !== undefined) throw new TypeError('this process listens already')
    const address = this.#address()
    await app.ready()
    const bound = await bind(app.server, address, this.#flag)
    this.#app = app
    return this.announce(bound)
  }

  /** An address at which workers can listen: taken for a moment, so that it is tried before they are started. */
  async reserve(): Promise<ListenAddress> {
    const server = createServer()
    try {
      return await bind(server, this.#address(), this.#flag)
    } finally {
      server.close()
    }
  }

  announce(bound: ListenAddress): string {
    const { settings, log, health, isWorker } = this.#options
    const url = `${settings.tlsCert === undefined ? 'http' : 'https'}://${showAddress(bound)}`
    health.started = true
    log[isWorker ? 'debug' : 'info']({ url }, 'listening')
    return url
  }

  get #flag(): string {
    return `--listen (${this.#options.prefix}_LISTEN)`
  }

  #address(): ListenAddress {
    const { settings } = this.#options
    const address = parseListenAddress(settings.listen, this.#flag)
    if (settings.auth === undefined && !isLoopback(address.host)) {
      throw new ConfigError(
        `${this.#flag} ${settings.listen} is open to other machines: choose --auth tokens or --auth mtls, or --auth none if something in front of this service decides who may call`,
      )
    }
    return address
  }

  swapTls(material: TlsMaterial): void {
    if (this.#app !== undefined) swapTls(this.#app.server, material)
  }

  /**
   * Stops accepting, waits for the answers under way, closes idle connections as they become idle. Requests that have not
   * arrived whole within `receiveMs` are cut, or one client could keep the process until it is ended by force.
   */
  async close(receiveMs: number): Promise<void> {
    const app = this.#app
    if (app === undefined) return
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    app.server.close(() => resolve())
    // An answer whose head was sent before the drain said nothing of closing: its connection is ended once it is idle.
    const cutAtMs = performance.now() + receiveMs
    const sweep = setInterval(() => {
      app.server.closeIdleConnections()
      if (performance.now() < cutAtMs) return
      const connections = app.cutUnreceived()
      if (connections > 0) this.#options.log.warn({ connections }, 'cut: their requests did not arrive while draining')
    }, 50)
    await closed
    clearInterval(sweep)
    await app.close()
  }
}
