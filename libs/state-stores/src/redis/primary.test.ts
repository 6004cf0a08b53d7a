import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { findPrimary } from './primary.ts'
import { parseRedisUrl } from './url.ts'

/** Answers every command with the same words; nothing but what the look-up asks is told. */
async function answering(reply: string): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('data', () => socket.write(reply))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const list = (words: readonly string[]): string => `*${words.length}\r\n${words.map(bulk).join('')}`
const sentinel = (primaryPort: number, epoch: number): Promise<number> =>
  answering(list(['ip', '127.0.0.1', 'port', String(primaryPort), 'config-epoch', String(epoch)]))
const server = (role: string, history: string, before: string): Promise<number> =>
  answering(bulk(`role:${role}\r\nmaster_replid:${history}\r\nmaster_replid2:${before}\r\n`))

const look = (ports: readonly number[], query = '') => {
  const url = `redis://${ports.map((port) => `127.0.0.1:${port}`).join(',')}/0${query}`
  return findPrimary(parseRedisUrl(url, []), 2_000)
}

test.each([
  ['first', [9, 8]],
  ['last', [8, 9]],
  ['last, with more digits', [9, 10]],
] as const)('of Sentinels that disagree the one with the latest epoch counts: the %s', async (_, epochs) => {
  const ports = await Promise.all(epochs.map((epoch) => sentinel(1_000 + epoch, epoch)))
  await expect(look(ports, '?sentinel=main')).resolves.toEqual({ host: '127.0.0.1', port: 1_000 + Math.max(...epochs) })
})

test('without a Sentinel that answers there is no primary', async () => {
  const nobody = await answering('-ERR No such master with that name\r\n')
  await expect(look([nobody], '?sentinel=main')).rejects.toThrow(
    /^no Sentinel names the primary "main" \(.*No such master/,
  )
})

test('of two that say to be the primary the one whose history goes on from the other counts', async () => {
  const old = await server('master', 'aaa', '000')
  const promoted = await server('master', 'bbb', 'aaa')
  await expect(look([old, promoted])).resolves.toMatchObject({ port: promoted })
  await expect(look([promoted, old])).resolves.toMatchObject({ port: promoted })
})

test('when it cannot be told which one that is, neither counts', async () => {
  const ports = [await server('master', 'aaa', '000'), await server('master', 'ccc', 'bbb')]
  await expect(look(ports)).rejects.toThrow(/each say to be the primary: stop or demote/)
})

test('replicas alone are no primary', async () => {
  const ports = [await server('slave', 'aaa', '000'), await server('slave', 'aaa', '000')]
  await expect(look(ports)).rejects.toThrow(
    /none of them is a primary \(.*a read-only replica; .*a read-only replica\)/,
  )
})
