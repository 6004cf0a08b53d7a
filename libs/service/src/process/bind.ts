import type { AddressInfo, Server } from 'node:net'
import { ConfigError } from '../config/config-error.ts'
import { showAddress, type ListenAddress } from './listen-address.ts'

/** 16,384 connections may wait to be accepted: bursts of new clients are not refused (the kernel caps it by somaxconn). */
const backlog = 16_384

/** Listens; returns where. Throws ConfigError that names the address and the flag when it cannot. */
export async function bind(server: Server, address: ListenAddress, flag: string): Promise<ListenAddress> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ ...address, backlog }, resolve)
  try {
    await promise
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
    const reason = reasons[code]
    if (reason === undefined) throw error
    throw new ConfigError(`${reason(address)}; choose another with ${flag}`)
  } finally {
    server.off('error', reject)
  }
  return { host: address.host, port: boundTo(server).port }
}

const reasons: Readonly<Record<string, (address: ListenAddress) => string>> = {
  EADDRINUSE: (address) => `${showAddress(address)} is taken by another process`,
  EACCES: (address) => `this user may not listen on ${showAddress(address)}`,
  EADDRNOTAVAIL: ({ host }) => `${host} is no address of this machine`,
  ENOTFOUND: ({ host }) => `${host} is no address of this machine`,
}

function boundTo(server: Server): AddressInfo {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new TypeError('the server is bound to no port')
  return address
}
