import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { app } from '../../../platform/services/app.ts'
import type { BenchCase } from '../../case.ts'
import { benchFolder } from '../../folder.ts'
import { startServer } from '../../server.ts'
import { throughput } from '../../throughput.ts'
import { startNginx } from './nginx.ts'
import { peerOrNone } from './peer-program.ts'

const text = 'm'.repeat(100)
const body = `{"message": "${text}"}`

export const getAgainstNginx: BenchCase = {
  name: 'message-store/get-vs-nginx',
  unit: 'requests/s',
  higherIsBetter: true,
  compares:
    'GET of a message of 100 bytes, one Node process, with nginx serving the same body as a static file, 64 connections',
  async open(stack, { measureMs }) {
    const nginx = await peerOrNone(getAgainstNginx.name, () => startNginx(stack))
    if (nginx !== undefined) await writeFile(join(nginx.root, 'message'), body)
    const url = await startServer(
      stack,
      app('message-store', 'serve', 0, ['--store', `lmdb:${await benchFolder(stack)}`]),
    )
    const headers = { 'content-type': 'application/json' }
    const posted = await fetch(`${url}/messages`, { method: 'POST', headers, body: JSON.stringify({ message: text }) })
    const path = posted.headers.get('location') ?? ''
    const figure = (origin: string, of: string) => () =>
      throughput({ url: origin, connections: 64, durationMs: measureMs, request: { method: 'GET', path: of } })
    return { ours: figure(url, path), ...(nginx && { peer: figure(nginx.url, '/message') }) }
  },
}

export const putAgainstNginxDav: BenchCase = {
  name: 'message-store/put-vs-nginx-dav',
  unit: 'puts/s',
  higherIsBetter: true,
  compares: 'durable PUT of 1 KiB under a new key, with PUT to nginx (DAV), which does not sync; 64 connections',
  async open(stack, { measureMs }) {
    const nginx = await peerOrNone(putAgainstNginxDav.name, () => startNginx(stack))
    const url = await startServer(
      stack,
      app('message-store', 'serve', 0, ['--store', `lmdb:${await benchFolder(stack)}`]),
    )
    const content = `{unique}${'-'.repeat(1_008)}`
    const figure = (origin: string, path: string) => () =>
      throughput({
        url: origin,
        connections: 64,
        durationMs: measureMs,
        request: { method: 'PUT', path, body: content },
      })
    return { ours: figure(url, '/ac/{unique}'), ...(nginx && { peer: figure(nginx.url, '/{unique}') }) }
  },
}
