import { isIP } from 'node:net'
import { ConfigError } from '../config/config-error.ts'

export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Reads `127.0.0.1:4001`, `[::1]:4001`, `localhost:0`, `:4001` (every address). Throws ConfigError naming `flag`. */
export function parseListenAddress(text: string, flag: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3] ?? Number.NaN)
  if (match === null || port > 65_535) {
    throw new ConfigError(
      `${flag} must be host:port, as in 127.0.0.1:4001, [::1]:4001 or 0.0.0.0:4001, not ${JSON.stringify(text)}`,
    )
  }
  return { host: match[1] ?? (match[2] || '::'), port }
}

/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}

export function showAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
