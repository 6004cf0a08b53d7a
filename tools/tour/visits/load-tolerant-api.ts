import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateLoad } from '../../load/generate-load.ts'
import { failures } from '../../load/options.ts'
import { isObject } from '../../platform/log-record.ts'
import { HttpClient } from '../http-client.ts'
import { count } from '../report.ts'
import { until } from '../until.ts'
import type { Visit } from '../visit.ts'

const clients = 20
const seconds = 3
const asked = 200
const storedTimeoutMs = 120_000

/** Leaves five documents for each request in the store: that is what the service is for. */
export const loadTolerantApi: Visit = {
  name: 'load-tolerant-api',
  title: `${clients} clients for ${seconds} s, and where ${asked} of their writes are afterwards`,

  async run({ url, ca, headers, folder, check, progress }) {
    using client = new HttpClient(url, { connections: 8, headers, ...(ca && { ca }) })
    const file = join(folder, 'acknowledged.txt')
    const load = await generateLoad({
      url,
      ...(ca && { ca }),
      connections: clients,
      durationMs: seconds * 1000,
      request: { method: 'GET', path: '/api/data', headers: { accept: 'application/json', ...headers } },
      collect: { key: 'writes', file },
    })
    const failed = failures(load)
    check(
      'every client is answered',
      failed === 0 && load.requests > 0,
      `${count(load.perSecond)} requests/s, p99 ${count(load.latencyMs.p99)} ms, ${failed} failed`,
    )
    const ids = (await readFile(file, 'utf8')).split('\n').filter(Boolean)
    const step = Math.max(1, Math.floor(ids.length / asked))
    const sample = ids.filter((_, index) => index % step === 0).slice(0, asked)
    progress(`  waiting for ${sample.length} writes to be stored`)
    let stored = 0
    for (const id of sample) {
      await until(`${id} to be stored`, storedTimeoutMs, async () => {
        const { status, body } = await client.call({ method: 'GET', path: `/api/writes/${id}` })
        const answer: unknown = status === 200 ? JSON.parse(body) : undefined
        return isObject(answer) && answer['state'] === 'stored' ? true : undefined
      })
      stored++
    }
    check(
      'acknowledged ids are stored, evenly picked from all',
      stored === sample.length && stored > 0,
      `${count(stored)} of ${count(sample.length)}, picked from ${count(ids.length)}`,
    )
  },
}
