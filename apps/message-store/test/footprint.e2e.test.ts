import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { startMessageStore, type MessageStoreProcess } from './message-store-process.ts'

const mebibyte = 2 ** 20
/** More of it takes no more memory: MEBIBYTES=1024 shows it. */
const mebibytes = Number(process.env['MEBIBYTES'] ?? 128)
const readers = 1_000

const piece = Buffer.alloc(mebibyte, 'footprint ')

function digestOf(count: number): string {
  const digest = createHash('sha256')
  for (let index = 0; index < count; index++) digest.update(piece)
  return digest.digest('hex')
}

/** Of the process; the kernel's own account of it. */
async function resident({ pid }: MessageStoreProcess, what: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return (Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1_024) / mebibyte
}

function exchange(method: string, url: string, count = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = count === 0 ? {} : { 'content-length': count * mebibyte }
    const asked = request(url, { method, headers }, (answer) => {
      let received = 0
      answer.on('data', (bytes: Buffer) => (received += bytes.length))
      answer.once('end', () => resolve((answer.statusCode ?? 500) < 300 ? received : -1)).once('error', reject)
    }).once('error', reject)
    const write = async (): Promise<void> => {
      for (let index = 0; index < count; index++) {
        if (!asked.write(piece)) await new Promise((resume) => asked.once('drain', resume))
      }
      asked.end()
    }
    void write()
  })
}

test(`${mebibytes} MiB in and out take less than 64 MiB of memory`, { timeout: 300_000 }, async ({ annotate }) => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  // Compiled code and full pools are not what is asked about.
  expect(await exchange('PUT', `${server.url}/cas/${digestOf(16)}`, 16)).toBe(0)
  expect(await exchange('GET', `${server.url}/cas/${digestOf(16)}`)).toBe(16 * mebibyte)
  const before = await resident(server, 'VmHWM')
  const url = `${server.url}/cas/${digestOf(mebibytes)}`
  expect(await exchange('PUT', url, mebibytes)).toBe(0)
  const put = (await resident(server, 'VmHWM')) - before
  expect(await exchange('GET', url)).toBe(mebibytes * mebibyte)
  const both = (await resident(server, 'VmHWM')) - before
  await annotate(`${mebibytes} MiB: at most ${put.toFixed(0)} MiB more while writing, ${both.toFixed(0)} with reading`)
  expect(both).toBeLessThan(64)
})

test(`${readers} readers of 100 MiB that do not read fit in 400 MB`, { timeout: 300_000 }, async ({ annotate }) => {
  await using folder = await temporaryFolder()
  await using server = await startMessageStore(folder.path)
  const { port, hostname, pathname } = new URL(`${server.url}/cas/${digestOf(100)}`)
  expect(await exchange('PUT', `${server.url}${pathname}`, 100)).toBe(0)
  const before = await resident(server, 'VmRSS')
  const begun = new Set<Socket>()
  const sockets: Socket[] = []
  try {
    for (let index = 0; index < readers; index++) {
      const socket = connect(Number(port), hostname).on('error', () => {})
      sockets.push(socket)
      // One piece shows that its turn has come; then nothing is read.
      socket.once('data', () => void begun.add(socket.pause()))
      socket.write(`GET ${pathname} HTTP/1.1\r\nHost: a\r\n\r\n`)
    }
    await waitUntil(() => begun.size === readers, { timeoutMs: 120_000 })
    const highest = await resident(server, 'VmHWM')
    await annotate(
      `${readers} readers: ${(await resident(server, 'VmRSS')).toFixed(0)} MiB, at most ${highest.toFixed(0)}, ${before.toFixed(0)} before`,
    )
    expect(highest * mebibyte).toBeLessThan(400e6)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})
