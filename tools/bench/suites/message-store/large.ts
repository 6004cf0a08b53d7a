import { createHash, hash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { app } from '../../../platform/services/app.ts'
import type { BenchCase, Effort } from '../../case.ts'
import { benchFolder } from '../../folder.ts'
import { startServer } from '../../server.ts'
import { download } from './download.ts'

const pieceBytes = 256 * 1024

/** 1 GiB in a whole run, less in quick ones. */
const piecesOf = ({ measureMs }: Effort): number => Math.min(4_096, Math.round((measureMs / 3_000) * 4_096))

let next = 0

/** The same bytes as often as it is read, and others for each content. */
function content(count: number): { readonly pieces: () => Iterable<Buffer>; readonly digest: string } {
  const seed = Buffer.alloc(pieceBytes, `${process.pid}/${next++}/`)
  const pieces = (): Iterable<Buffer> => Array.from({ length: count }, () => seed)
  const digest = createHash('sha256')
  for (const piece of pieces()) digest.update(piece)
  return { pieces, digest: digest.digest('hex') }
}

const mebibytesPerSecond = (count: number, startedMs: number): number =>
  (count * pieceBytes * 1_000) / 2 ** 20 / (performance.now() - startedMs)

function send(method: 'PUT' | 'DELETE', url: string, pieces: Iterable<Buffer> = [], size = 0): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers: size === 0 ? {} : { 'content-length': size } }, (answer) => {
      answer.resume().once('error', reject)
      answer.once('end', () => {
        if ((answer.statusCode ?? 500) < 300) resolve()
        else reject(new Error(`${method} ${url} was answered ${answer.statusCode}`))
      })
    })
    asked.once('error', reject)
    void write()
    async function write(): Promise<void> {
      for (const piece of pieces) {
        if (!asked.write(piece)) await new Promise((resume) => asked.once('drain', resume))
      }
      asked.end()
    }
  })
}

export const putAgainstPlain: BenchCase = {
  name: 'message-store/put-1g-vs-plain',
  unit: 'MiB/s',
  higherIsBetter: true,
  compares:
    'PUT of 1 GiB over HTTP (a third of it with --quick), durable, with hash, write and fsync in one plain loop',
  async open(stack, effort) {
    const [ourFolder, peerFolder] = [await benchFolder(stack), await benchFolder(stack)]
    const url = await startServer(stack, app('message-store', 'serve', 0, ['--store', `lmdb:${ourFolder}`]))
    const count = piecesOf(effort)
    return {
      async ours() {
        const { pieces, digest } = content(count)
        const startedMs = performance.now()
        await send('PUT', `${url}/cas/${digest}`, pieces(), count * pieceBytes)
        const figure = mebibytesPerSecond(count, startedMs)
        await send('DELETE', `${url}/cas/${digest}`)
        return figure
      },
      async peer() {
        const { pieces } = content(count)
        const path = join(peerFolder, 'plain')
        const startedMs = performance.now()
        const digest = createHash('sha256')
        const file = openSync(path, 'w')
        for (const piece of pieces()) {
          digest.update(piece)
          writeSync(file, piece)
        }
        fsyncSync(file)
        closeSync(file)
        digest.digest('hex')
        const figure = mebibytesPerSecond(count, startedMs)
        await rm(path)
        return figure
      },
    }
  },
}

export const getAgainstSha256: BenchCase = {
  name: 'message-store/get-1g-vs-sha256',
  unit: 'MiB/s',
  higherIsBetter: true,
  compares: 'GET of 1 GiB over HTTP (a third of it with --quick), each chunk verified, with SHA-256 alone on one core',
  async open(stack, effort) {
    const url = await startServer(
      stack,
      app('message-store', 'serve', 0, ['--store', `lmdb:${await benchFolder(stack)}`]),
    )
    const count = piecesOf(effort)
    const { pieces, digest } = content(count)
    await send('PUT', `${url}/cas/${digest}`, pieces(), count * pieceBytes)
    return {
      async ours() {
        const startedMs = performance.now()
        await download(`${url}/cas/${digest}`, count * pieceBytes)
        return mebibytesPerSecond(count, startedMs)
      },
      async peer() {
        const startedMs = performance.now()
        for (const piece of pieces()) hash('sha256', piece)
        return mebibytesPerSecond(count, startedMs)
      },
    }
  },
}
