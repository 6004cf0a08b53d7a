import { useRef, useState } from 'preact/hooks'
import { isRecord } from '../sample.ts'
import { count } from '../views/format.ts'
import { scalerState, type ScalerState } from '../views/scaler.ts'
import { call } from './call.ts'
import type { Model } from './feeds.ts'
import { Card, fieldOf, may, NeedsRole, Outcome, useAction } from './parts.tsx'
import type { PageProps } from './service-page.tsx'
import { SlotMap, type SlotOwners } from './slot-map.tsx'
import { useReading } from './use-reading.ts'
import { useWhatIf, WhatIf } from './what-if.tsx'
import { WorkerColours } from './worker-colours.ts'
import { Workers } from './workers-table.tsx'

const isMap = (value: unknown): value is SlotOwners =>
  isRecord(value) && Array.isArray(value['names']) && Array.isArray(value['owners']) && Array.isArray(value['targets'])

async function readMap(version: string | undefined): Promise<SlotOwners | undefined> {
  if (version === undefined || version === '') return undefined
  const { body } = await call('scaler', '/ui/map')
  if (!isMap(body)) throw new Error('the map is none')
  return body
}

export function ScalerPage({ model, feed }: PageProps) {
  const colours = useRef(new WorkerColours())
  const [wanted, want] = useState('')
  const considered = useWhatIf(model)
  // While nobody knows, the last that was known is shown; the page says above what is wrong.
  const known = useRef<ScalerState>(undefined)
  const said = (feed?.now && scalerState(feed.now)) ?? known.current
  known.current = said
  const dead = endedWorkers(model)
  const state = said && {
    ...said,
    workers: said.workers.map((worker) => (dead.has(worker.name) ? { ...worker, alive: false } : worker)),
  }
  const version = state?.mapVersion
  // Read again with each version, and after an outage; the page says above what is wrong.
  const { value: map } = useReading(() => readMap(version), '', `${version} ${feed?.down === undefined}`)
  if (state === undefined) return null
  const names = state.workers.map(({ name }) => name).toSorted()
  for (const name of names) colours.current.of(name)
  const alive = new Set(state.workers.filter((worker) => worker.alive).map(({ name }) => name))
  return (
    <>
      <Card title="Who owns which slot" wide>
        {map === undefined ? (
          <p class="note">The map is being read.</p>
        ) : (
          <SlotMap map={map} alive={alive} colours={colours.current} wanted={wanted} />
        )}
      </Card>
      <div class="columns below">
        <Workers
          state={state}
          colours={colours.current}
          model={model}
          considered={considered}
          wanted={wanted}
          want={want}
        />
        <WhatIf model={model} state={state} considered={considered} />
        <Rows model={model} />
        <Explain />
      </div>
    </>
  )
}

/** Names of workers whose process the launcher has seen end: their leases run on for some seconds, but nobody lives there. */
function endedWorkers({ platform }: Model): ReadonlySet<string> {
  const ended = platform?.processes.filter(({ service, state }) => service === 'scaler' && state !== 'ready') ?? []
  return new Set(ended.map(({ name }) => name))
}

function Rows({ model }: { readonly model: Model }) {
  const { said, busy, run } = useAction()
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    const { currentTarget, submitter } = event
    if (!(currentTarget instanceof HTMLFormElement)) return
    const remove = submitter?.getAttribute('value') === 'remove'
    const wanted = Number(fieldOf(new FormData(currentTarget), 'count'))
    run(async () => {
      const { body } = await call('scaler', '/v1/rows', { method: remove ? 'DELETE' : 'POST', body: { count: wanted } })
      if (!isRecord(body)) throw new Error('nothing was answered')
      return remove
        ? `${count(Number(body['removed']))} rows were removed.`
        : `${count(Number(body['added']))} rows were added.`
    })
  }
  const allowed = !busy && may(model.access, 'admin')
  return (
    <Card title="Rows">
      <form class="fields" onSubmit={submit}>
        <label>
          Number of rows <input name="count" type="number" min={1} max={100_000} required defaultValue="1000" />
        </label>
        <p class="buttons">
          <button value="add" disabled={!allowed}>
            Add
          </button>
          <button value="remove" class="grave" disabled={!allowed}>
            Remove
          </button>
        </p>
      </form>
      <NeedsRole access={model.access} role="admin" />
      <Outcome said={said} />
    </Card>
  )
}

function Explain() {
  const { said, busy, run } = useAction()
  const [id, setId] = useState('')
  const any = (): void =>
    run(async () => {
      const { body } = await call('scaler', '/v1/rows?limit=1')
      const [row] = isRecord(body) && Array.isArray(body['rows']) ? body['rows'].filter(isRecord) : []
      if (row === undefined) throw new Error('There is no row yet: add some.')
      setId(String(row['id']))
      return 'This is the first row in order of ids.'
    })
  const explain = (event: SubmitEvent): void => {
    event.preventDefault()
    run(async () => {
      const { body } = await call('scaler', `/v1/explain/${encodeURIComponent(id)}`)
      if (!isRecord(body)) throw new Error('nothing was answered')
      return `Its value is ${String(body['value'])}; ${String(body['why'])}.`
    })
  }
  return (
    <Card title="Explain a row">
      <form class="fields" onSubmit={explain}>
        <label>
          Id{' '}
          <input class="mono" required value={id} onInput={({ currentTarget }) => setId(currentTarget.value.trim())} />
        </label>
        <p class="buttons">
          <button disabled={busy}>Why is it where it is?</button>
          <button type="button" disabled={busy} onClick={any}>
            Take any row
          </button>
        </p>
      </form>
      <Outcome said={said} />
    </Card>
  )
}
