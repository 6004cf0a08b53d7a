import { useState } from 'preact/hooks'
import { byLabel, isRecord, total } from '../sample.ts'
import { bytes, count, decimal, duration } from '../views/format.ts'
import { consumerView } from '../views/consumer.ts'
import { call } from './call.ts'
import type { Model } from './feeds.ts'
import { loadTest, type Summary } from './load-test.ts'
import { Card, Figures, isStale, may, NeedsRole, Outcome, Plots, Status, useAction } from './parts.tsx'
import type { PageProps } from './service-page.tsx'
import { useReading } from './use-reading.ts'

export function LoadPage({ model, feed }: PageProps) {
  const consumer = model.feeds.get('consumer')
  return (
    <>
      {consumer === undefined ? (
        <p class="note">Write commands are counted by the consumer, which has a page of its own at its address.</p>
      ) : (
        <section>
          <div class="title">
            <h2>consumer</h2>
            <Status feed={consumer} model={model} />
          </div>
          {consumer.now !== undefined && (
            <Figures figures={consumerView.figures(consumer.now, consumer.before)} stale={isStale(model, consumer)} />
          )}
          <Plots view={consumerView} feed={consumer} />
        </section>
      )}
      <div class="columns">
        <Load model={model} />
        <Door feed={feed} model={model} />
        <Dead feed={feed} model={model} />
      </div>
    </>
  )
}

function Load({ model }: { readonly model: Model }) {
  const { said, busy, run } = useAction()
  const [summary, setSummary] = useState<Summary>()
  const start = (requests: number): void =>
    run(async () => {
      setSummary(undefined)
      const result = await loadTest(requests, setSummary)
      return result.failed === 0
        ? 'Every request was acknowledged.'
        : `${result.failed} requests were not acknowledged.`
    })
  const off = busy || !may(model.access, 'writer')
  return (
    <Card title="Load test">
      <p class="note">GET /api/data from this browser, six at a time: five documents written and five read each.</p>
      <p class="buttons">
        {[100, 500, 2_000].map((requests) => (
          <button key={requests} type="button" disabled={off} onClick={() => start(requests)}>
            {count(requests)} requests
          </button>
        ))}
      </p>
      <NeedsRole access={model.access} role="writer" />
      {summary !== undefined && (
        <table>
          <tbody>
            {rowsOf(summary).map(([label, value]) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                <td class="number">{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <Outcome said={said} />
    </Card>
  )
}

const rowsOf = ({ requests, failed, perSecond, meanMs, p50Ms, p95Ms, p99Ms, maxMs, statuses }: Summary) =>
  [
    ['requests', count(requests)],
    ['a second', decimal(perSecond)],
    ['failed', count(failed)],
    ['duration: mean', duration(meanMs)],
    ['p50', duration(p50Ms)],
    ['p95', duration(p95Ms)],
    ['p99', duration(p99Ms)],
    ['max', duration(maxMs)],
    ['statuses', [...statuses].map(([status, number]) => `${status}: ${count(number)}`).join(', ')],
  ] as const

function Door({ feed }: PageProps) {
  const now = feed?.now
  if (now === undefined) return null
  const refused = [...byLabel(now, 'load_tolerant_api_refused_requests_total', 'code')]
  const reads = byLabel(now, 'load_tolerant_api_cache_reads_total', 'result')
  const rows: readonly (readonly [string, string])[] = [
    [
      'requests writing, of at most',
      `${count(total(now, 'load_tolerant_api_writing_requests'))} of ${count(total(now, 'load_tolerant_api_writing_requests_limit'))}`,
    ],
    ['requests waiting', count(total(now, 'load_tolerant_api_waiting_requests'))],
    ['entries in the queue', count(total(now, 'load_tolerant_api_queue_entries'))],
    ['bytes in the queue', bytes(total(now, 'load_tolerant_api_queue_bytes'))],
    ['reads from the cache', count(reads.get('hit') ?? 0)],
    ['from the cache, stale', count(reads.get('stale') ?? 0)],
    ['not in the cache', count(reads.get('miss') ?? 0)],
    ...refused.map(([code, number]) => [`refused: ${code}`, count(number)] as const),
  ]
  return (
    <Card title="Door, queue and cache">
      <table>
        <tbody>
          {rows.map(([label, value]) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td class="number">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {refused.length === 0 && <p class="note">Nothing was refused since the process began.</p>}
    </Card>
  )
}

interface Letter {
  readonly id: string
  readonly reason: string
  readonly buriedAt: string
}
const isLetter = (value: unknown): value is Letter =>
  isRecord(value) &&
  typeof value['id'] === 'string' &&
  typeof value['reason'] === 'string' &&
  typeof value['buriedAt'] === 'string'

async function readLetters(): Promise<readonly Letter[]> {
  const { body } = await call('load-tolerant-api', '/api/dead?limit=20')
  return isRecord(body) && Array.isArray(body['letters']) ? body['letters'].filter(isLetter) : []
}

function Dead({ model, feed }: PageProps) {
  const { said, busy, run } = useAction()
  const dead = feed?.now === undefined ? 0 : total(feed.now, 'load_tolerant_api_dead_letters')
  const allowed = may(model.access, 'operator')
  const readable = allowed || model.platform !== undefined
  const { value: letters = [] } = useReading(
    () => (readable ? readLetters() : Promise.resolve([])),
    '',
    `${dead} ${readable}`,
  )
  const replay = (id: string): void =>
    run(async () => {
      const { body } = await call('load-tolerant-api', `/api/dead/replay?${new URLSearchParams({ id })}`, {
        method: 'POST',
      })
      return `${isRecord(body) ? String(body['replayed']) : 0} put back into the queue.`
    })
  return (
    <Card title="Dead letters">
      {dead === 0 ? (
        <p class="note">None: every document was taken by the store.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="region" aria-label="Dead letters">
          <p class="note">{count(dead)} in all; the first 20.</p>
          <table>
            <thead>
              <tr>
                <th>Document</th>
                <th>Reason</th>
                <th>
                  <span class="hidden">Replay</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {letters.map(({ id, reason, buriedAt }) => (
                <tr key={id}>
                  <td class="mono" title={buriedAt}>
                    {id}
                  </td>
                  <td>{reason}</td>
                  <td class="number">
                    <button
                      type="button"
                      aria-label={`replay ${id}`}
                      disabled={busy || !allowed}
                      onClick={() => replay(id)}
                    >
                      replay
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Outcome said={said} />
    </Card>
  )
}
