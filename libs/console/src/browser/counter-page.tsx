import { useState } from 'preact/hooks'
import { isRecord, total } from '../sample.ts'
import { call } from './call.ts'
import { Card, fieldOf, may, NeedsRole, Outcome, useAction } from './parts.tsx'
import type { PageProps } from './service-page.tsx'
import { useReading } from './use-reading.ts'

interface Row {
  readonly namespace: string
  readonly name: string
  readonly value: string
  readonly version: string
}
interface Page {
  readonly rows: readonly Row[]
  readonly next: string | undefined
}

const pageSize = 25
const nothing: Page = { rows: [], next: undefined }
const isRow = (value: unknown): value is Row => isRecord(value) && typeof value['name'] === 'string'
const pathOf = (namespace: string, name: string): string =>
  `/v1/counters/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`

/** Counters whose `namespace/name` begins with what is typed. */
async function list(beginning: string, after: string | undefined): Promise<Page> {
  const query = new URLSearchParams({
    limit: String(pageSize),
    ...(beginning !== '' && { prefix: beginning }),
    ...(after !== undefined && { after }),
  })
  const { body } = await call('counter', `/v1/counters?${query}`)
  if (!isRecord(body) || !Array.isArray(body['counters'])) throw new Error('the list is none')
  return { rows: body['counters'].filter(isRow), next: typeof body['next'] === 'string' ? body['next'] : undefined }
}

/** No name has anything else in it. */
const canBegin = (text: string): boolean => /^[A-Za-z0-9._:-]*(?:\/[A-Za-z0-9._:-]*)?$/.test(text)

export function CounterPage({ model, feed }: PageProps) {
  const [wanted, setWanted] = useState('')
  const [trail, setTrail] = useState<readonly string[]>([])
  const after = trail.at(-1)
  // What is shown is read again when something was applied, and only then.
  const applied = feed?.now === undefined ? undefined : total(feed.now, 'counter_operations_total')
  const { value: page = nothing, trouble } = useReading(
    () => (canBegin(wanted) ? list(wanted, after) : Promise.resolve(nothing)),
    `${wanted} ${after}`,
    `${applied} ${model.access?.role}`,
  )

  return (
    <div class="columns two">
      <Card title="Counters" wide>
        <form role="search" onSubmit={(event) => event.preventDefault()}>
          <label>
            Find{' '}
            <input
              type="search"
              placeholder="beginning of namespace/name"
              value={wanted}
              onInput={({ currentTarget }) => {
                setTrail([])
                setWanted(currentTarget.value.trim())
              }}
            />
          </label>
        </form>
        {trouble !== '' && <p class="outcome bad">{trouble}</p>}
        <div class="scroll" tabIndex={0} role="region" aria-label="Counters">
          <table>
            <thead>
              <tr>
                <th>Counter</th>
                <th class="number">Value</th>
                <th class="number">Version</th>
              </tr>
            </thead>
            <tbody>
              {page.rows.map(({ namespace, name, value, version }) => (
                <tr key={`${namespace}/${name}`}>
                  <td>
                    <span class="quiet">{namespace}/</span>
                    {name}
                  </td>
                  <td class="number">{value}</td>
                  <td class="number quiet">{version}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {page.rows.length === 0 && trouble === '' && (
            <p class="note">{wanted === '' ? 'No counter yet.' : 'No name begins so.'}</p>
          )}
        </div>
        <p class="pager">
          <button type="button" disabled={trail.length === 0} onClick={() => setTrail(trail.slice(0, -1))}>
            Previous
          </button>
          <button
            type="button"
            disabled={page.next === undefined}
            onClick={() => page.next !== undefined && setTrail([...trail, page.next])}
          >
            Next
          </button>
        </p>
      </Card>
      <Change model={model} />
      <Refusals feed={feed} model={model} />
    </div>
  )
}

function Change({ model }: Pick<PageProps, 'model'>) {
  const { said, busy, run } = useAction()
  const [last, setLast] = useState<{ readonly change: () => Promise<string> }>()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const { currentTarget: form, submitter } = event
    if (!(form instanceof HTMLFormElement)) return
    const fields = new FormData(form)
    const kind = submitter?.getAttribute('value') === 'set' ? 'set' : 'add'
    const [name, amount] = [fieldOf(fields, 'name'), fieldOf(fields, 'amount')]
    // Made once for what was asked for, so that the same can be sent again without being done again.
    const key = crypto.randomUUID()
    const change = (): Promise<string> => apply(kind, name, amount, key)
    setLast({ change })
    run(change)
  }
  return (
    <Card title="Add or set">
      <form class="fields" onSubmit={submit}>
        <label>
          Counter <input name="name" required pattern={String.raw`[^\/]+\/[^\/]+`} defaultValue="default/counter" />
        </label>
        <label>
          Number <input name="amount" required pattern="-?[0-9]+" inputMode="numeric" defaultValue="1" />
        </label>
        <p class="buttons">
          <button value="add" disabled={busy || !may(model.access, 'writer')}>
            Add
          </button>
          <button value="set" disabled={busy || !may(model.access, 'writer')}>
            Set
          </button>
          <button
            type="button"
            disabled={busy || last === undefined}
            onClick={() => last !== undefined && run(last.change)}
          >
            Send the same again
          </button>
        </p>
      </form>
      <NeedsRole access={model.access} role="writer" />
      <Outcome said={said} />
    </Card>
  )
}

async function apply(kind: 'add' | 'set', counter: string, amount: string, key: string): Promise<string> {
  const slash = counter.indexOf('/')
  const path = pathOf(counter.slice(0, slash), counter.slice(slash + 1))
  const headers = { 'idempotency-key': `"${key}"` }
  const { body, headers: answered } =
    kind === 'add'
      ? await call('counter', `${path}/add`, { method: 'POST', body: { by: amount }, headers })
      : await call('counter', path, { method: 'PUT', body: { value: amount }, headers })
  const value = isRecord(body) ? String(body['value']) : '?'
  const replayed = answered.get('idempotency-replayed')
  return replayed === 'true'
    ? `${counter} is ${value}: answered again, not applied again.`
    : `${counter} is ${value}, durably.`
}

function Refusals({ feed }: PageProps) {
  const found = Object.entries(feed?.now?.series ?? {}).filter(([key]) => key.startsWith('counter_refusals_total{'))
  const rows = found.map(([key, number]) => [/reason="([^"]*)"/.exec(key)?.[1] ?? key, number] as const)
  const replays = feed?.now === undefined ? 0 : total(feed.now, 'counter_idempotency_replays_total')
  return (
    <Card title="Replays and refusals">
      <table>
        <tbody>
          <tr>
            <th scope="row">answered again instead of applied again</th>
            <td class="number">{replays}</td>
          </tr>
          {rows.map(([reason, number]) => (
            <tr key={reason}>
              <th scope="row">refused: {reason}</th>
              <td class="number">{number}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length === 0 && <p class="note">Nothing was refused since the process began.</p>}
    </Card>
  )
}
