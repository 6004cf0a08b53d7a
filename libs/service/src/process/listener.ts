import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { ConfigError } from '../config/config-error.ts'
import type { ServiceSettings } from '../config/service-options.ts'
import type { Health } from '../health.ts'
import { isLoopback, parseListenAddress, showAddress, type ListenAddress } from './listen-address.ts'
import type { Service } from './service.ts'

type Served = Parameters<Service<unknown>['listen']>[0]

export interface ListenerOptions {
  readonly settings: ServiceSettings
  readonly prefix: string
  readonly log: FastifyBaseLogger
  readonly health: Health
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
    const { settings, prefix, log, health } = this.#options
    const flag = `--listen (${prefix}_LISTEN)`
    const address = parseListenAddress(settings.listen, flag)
    if (settings.auth === undefined && !isLoopback(address.host)) {
      throw new ConfigError(
        `${flag} ${settings.listen} is open to other machines: choose --auth tokens or --auth mtls, or --auth none if something in front of this service decides who may call`,
      )
    }
    await app.ready()
    await bind(app.server, address, flag)
    this.#app = app
    const { port } = boundTo(app.server)
    const scheme = settings.tlsCert === undefined ? 'http' : 'https'
    const url = `${scheme}://${showAddress({ host: address.host, port })}`
    health.started = true
    log.info({ url }, 'listening')
    return url
  }

  /** Stops accepting, waits for the answers under way, closes idle connections as they become idle. */
  async close(): Promise<void> {
    const app = this.#app
    if (app === undefined) return
    this.#app = undefined
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    app.server.close(() => resolve())
    // An answer whose head was sent before the drain said nothing of closing: its connection is ended once it is idle.
    const sweep = setInterval(() => app.server.closeIdleConnections(), 50)
    await closed
    clearInterval(sweep)
    await app.close()
  }
}

/** 16,384 connections may wait to be accepted: bursts of new clients are not refused (the kernel caps it by somaxconn). */
const backlog = 16_384

export async function bind(server: Server, address: ListenAddress, flag: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ ...address, backlog }, resolve)
  try {
    await promise
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const at = showAddress(address)
    if (code === 'EADDRINUSE') throw new ConfigError(`${at} is taken by another process; choose another with ${flag}`)
    if (code === 'EACCES')
      throw new ConfigError(`this user may not listen on ${at}; choose a port above 1023 with ${flag}`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new ConfigError(`${address.host} is no address of this machine; choose another with ${flag}`)
    }
    throw error
  } finally {
    server.off('error', reject)
  }
}

function boundTo(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server is bound to no port')
  return address
}
