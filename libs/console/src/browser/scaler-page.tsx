import { useEffect, useRef, useState } from 'preact/hooks'
import { isRecord, total } from '../sample.ts'
import { count, decimal, duration } from '../views/format.ts'
import { scalerState, type ScalerState } from '../views/scaler.ts'
import { call } from './call.ts'
import type { Model } from './feeds.ts'
import { Card, fieldOf, may, NeedsRole, Outcome, useAction } from './parts.tsx'
import type { PageProps } from './service-page.tsx'
import { SlotMap, type SlotOwners } from './slot-map.tsx'
import { css, WorkerColours } from './worker-colours.ts'

const isMap = (value: unknown): value is SlotOwners =>
  isRecord(value) && Array.isArray(value['names']) && Array.isArray(value['owners']) && Array.isArray(value['targets'])

export function ScalerPage({ model, feed }: PageProps) {
  const colours = useRef(new WorkerColours())
  const [map, setMap] = useState<SlotOwners>()
  const state = feed?.now === undefined ? undefined : scalerState(feed.now)
  const version = state?.mapVersion
  useEffect(() => {
    if (version === undefined || version === '') return
    call('scaler', '/ui/map').then(
      ({ body }) => (isMap(body) ? setMap(body) : undefined),
      // The next version is asked for again, and the page says above what is wrong.
      () => {},
    )
  }, [version])
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
          <SlotMap map={map} alive={alive} colours={colours.current} />
        )}
      </Card>
      <div class="columns below">
        <Workers state={state} colours={colours.current} model={model} />
        <WhatIf model={model} state={state} />
        <Rows model={model} />
        <Explain />
      </div>
    </>
  )
}

interface WorkersProps {
  readonly state: ScalerState
  readonly colours: WorkerColours
  readonly model: Model
}

function Workers({ state, colours, model }: WorkersProps) {
  const { said, busy, run } = useAction()
  const workers = state.workers.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const living = workers.filter(({ alive }) => alive)
  const mean = living.length === 0 ? 0 : state.rows / living.length
  // Workers count them themselves; only the page of all hears of it.
  const own = [...model.feeds.values()].filter(({ service }) => service.startsWith('worker-'))
  const fenced = own.reduce(
    (sum, { now }) => sum + (now === undefined ? 0 : total(now, 'scaler_fenced_writes_total')),
    0,
  )
  const drain = (name: string): void =>
    run(async () => {
      await call('scaler', `/v1/workers/${encodeURIComponent(name)}/drain`, { method: 'POST' })
      return `${name} gives its rows away; a restart ends that.`
    })
  return (
    <Card title="Workers" wide>
      <div class="scroll tall" tabIndex={0} role="region" aria-label="Workers">
        <table>
          <thead>
            <tr>
              <th>Worker</th>
              <th>State</th>
              <th class="number">Rows</th>
              <th class="number">of the mean</th>
              <th class="number">Slots</th>
              <th class="number">Last tick ago</th>
              <th class="number">Longest gap</th>
              <th>
                <span class="hidden">Drain</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {workers.map((worker) => (
              <tr key={worker.name} data-worker={worker.name}>
                <td>
                  <span class="swatch" style={{ background: worker.alive ? css(colours.of(worker.name)) : 'gray' }} />
                  {worker.name}
                </td>
                <td class={worker.alive ? 'nowrap' : 'nowrap bad'}>{stateOf(worker)}</td>
                <td class="number">{count(worker.rows)}</td>
                <td class="number">{worker.alive && mean > 0 ? decimal(worker.rows / mean) : '–'}</td>
                <td class="number">{count(worker.slots)}</td>
                <td class="number">{worker.rows > 0 ? duration(worker.behindMs) : '–'}</td>
                <td class="number">{count(worker.longestGapTicks)} s</td>
                <td class="number">
                  <button
                    type="button"
                    aria-label={`drain ${worker.name}`}
                    disabled={busy || !worker.alive || worker.draining || !may(model.access, 'operator')}
                    onClick={() => drain(worker.name)}
                  >
                    drain
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {workers.length === 0 && <p class="note">No worker has come yet: start one with `scaler worker`.</p>}
      {own.length > 0 && <p class="note">Writes that a fence refused since the workers began: {count(fenced)}.</p>}
      <Outcome said={said} />
    </Card>
  )
}

function stateOf({ alive, draining, away }: ScalerState['workers'][number]): string {
  if (!alive) return 'gone'
  if (away) return 'away'
  return draining ? 'draining' : 'alive'
}

function WhatIf({ model, state }: { readonly model: Model; readonly state: ScalerState }) {
  const { said, busy, run } = useAction()
  const ask = (event: SubmitEvent): void => {
    event.preventDefault()
    if (!(event.currentTarget instanceof HTMLFormElement)) return
    const fields = new FormData(event.currentTarget)
    const query = new URLSearchParams({ add: fieldOf(fields, 'add') || '0', remove: fieldOf(fields, 'remove') })
    run(async () => {
      const { body } = await call('scaler', `/v1/what-if?${query}`)
      const answers = isRecord(body) && Array.isArray(body['strategies']) ? body['strategies'].filter(isRecord) : []
      const active = answers.find((answer) => answer['active'] === true)
      if (active === undefined) throw new Error('nothing was answered')
      const number = (key: string): number => Number(active[key])
      return `It would move ${count(number('movedRows'))} rows in ${count(number('movedSlots'))} slots (no plan can move fewer than ${count(number('minimumRows'))} rows); the largest share would be ${decimal(number('maxOverMean'))} of the mean.`
    })
  }
  const living = state.workers.filter((worker) => worker.alive).map(({ name }) => name)
  return (
    <Card title="What if">
      <p class="note">Asks the planner, and changes nothing.</p>
      <form class="fields" onSubmit={ask}>
        <label>
          Workers that join <input name="add" type="number" min={0} max={1000} defaultValue="1" />
        </label>
        <label>
          A worker that leaves or is drained
          <select name="remove">
            <option value="">nobody</option>
            {living.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <p class="buttons">
          <button disabled={busy}>What would it move?</button>
        </p>
      </form>
      <Outcome said={said} />
      {model.platform !== undefined && <Replicas model={model} />}
    </Card>
  )
}

/** Workers of the launcher: there is one more, or one less. */
function Replicas({ model }: { readonly model: Model }) {
  const { said, busy, run } = useAction()
  const workers = model.platform?.processes.filter(({ name }) => name.startsWith('worker-')).length ?? 0
  const set = (wanted: number): void =>
    run(async () => {
      await call('', `/chaos/replicas/scaler/${wanted}`, { method: 'POST' })
      return `${wanted} workers run.`
    })
  const off = busy || !may(model.access, 'admin')
  return (
    <>
      <p class="buttons">
        <button type="button" disabled={off || workers >= 16} onClick={() => set(workers + 1)}>
          Add a worker
        </button>
        <button type="button" disabled={off || workers <= 1} onClick={() => set(workers - 1)}>
          Remove a worker
        </button>
      </p>
      <Outcome said={said} />
    </>
  )
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
