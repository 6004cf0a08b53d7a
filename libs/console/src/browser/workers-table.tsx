import { total } from '../sample.ts'
import { count, decimal, duration } from '../views/format.ts'
import type { ScalerState, WorkerState } from '../views/scaler.ts'
import type { Model } from './feeds.ts'
import { Card, may } from './parts.tsx'
import type { Considered } from './what-if.tsx'
import { css, type WorkerColours } from './worker-colours.ts'

export interface WorkersProps {
  readonly state: ScalerState
  readonly colours: WorkerColours
  readonly model: Model
  readonly considered: Considered
  /** Part of a name; '': all. */
  readonly wanted: string
  readonly want: (wanted: string) => void
}

/** Above so many rows there is a field to find one in. */
const few = 12

export function Workers({ state, colours, model, considered, wanted, want }: WorkersProps) {
  const living = state.workers.filter(({ alive }) => alive)
  const mean = living.length === 0 ? 0 : state.rows / living.length
  const found = state.workers.filter(({ name }) => name.includes(wanted)).toSorted(troubleFirst)
  // Workers count them themselves; only the page of all hears of it.
  const own = [...model.feeds.values()].filter(({ service }) => service.startsWith('worker-'))
  const fenced = own.reduce(
    (sum, { now }) => sum + (now === undefined ? 0 : total(now, 'scaler_fenced_writes_total')),
    0,
  )
  return (
    <Card title="Workers" wide>
      <p class="note">{summaryOf(state.workers)}</p>
      {state.workers.length > few && (
        <form role="search" onSubmit={(event) => event.preventDefault()}>
          <label>
            Find{' '}
            <input type="search" value={wanted} onInput={({ currentTarget }) => want(currentTarget.value.trim())} />
          </label>
        </form>
      )}
      <div class="scroll tall" tabIndex={0} role="region" aria-label="Workers">
        <table>
          <thead>
            <tr>
              <th>Worker</th>
              <th class="extra">State</th>
              <th class="number">Rows</th>
              <th class="number extra">of the mean</th>
              <th class="number extra">Slots</th>
              <th class="number extra">Last tick ago</th>
              <th class="number extra">Longest gap</th>
              <th>
                <span class="hidden">Drain</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {found.map((worker) => (
              <tr key={worker.name} data-worker={worker.name}>
                <td class="name">
                  <span class="swatch" style={{ background: worker.alive ? css(colours.of(worker.name)) : 'gray' }} />
                  <span class="who">{worker.name}</span>
                  <span class={worker.alive ? 'narrow' : 'narrow bad'}>
                    {stateOf(worker)}
                    {worker.rows > 0 && `, ticked ${duration(worker.behindMs)} ago`}
                  </span>
                </td>
                <td class={worker.alive ? 'nowrap extra' : 'nowrap extra bad'}>{stateOf(worker)}</td>
                <td class="number">{count(worker.rows)}</td>
                <td class="number extra">{worker.alive && mean > 0 ? decimal(worker.rows / mean) : '–'}</td>
                <td class="number extra">{count(worker.slots)}</td>
                <td class="number extra">{worker.rows > 0 ? duration(worker.behindMs) : '–'}</td>
                <td class="number extra">{count(worker.longestGapTicks)} s</td>
                <td class="number">
                  <button
                    type="button"
                    aria-label={`drain ${worker.name}`}
                    disabled={considered.busy || !worker.alive || worker.draining || !may(model.access, 'operator')}
                    onClick={() => considered.ask(0, worker.name)}
                  >
                    drain …
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {state.workers.length === 0 && <p class="note">No worker has come yet: start one with `scaler worker`.</p>}
      {state.workers.length > 0 && found.length === 0 && <p class="note">No worker has that in its name.</p>}
      <p class="note">
        {own.length > 0
          ? `Writes that a fence refused since the workers began: ${count(fenced)}.`
          : 'Writes that a fence refused are counted by each worker, on its own page.'}
      </p>
    </Card>
  )
}

const rankOf = ({ alive, draining, away }: WorkerState): number => (alive ? (draining || away ? 1 : 2) : 0)

/** Who is gone or goes comes first, for with two hundred nobody would find him; then worker-2 before worker-10. */
const troubleFirst = (one: WorkerState, other: WorkerState): number =>
  rankOf(one) - rankOf(other) || one.name.localeCompare(other.name, 'en', { numeric: true })

function stateOf({ alive, draining, away }: WorkerState): string {
  if (!alive) return 'gone'
  if (away) return 'away'
  return draining ? 'draining' : 'alive'
}

function summaryOf(workers: readonly WorkerState[]): string {
  const counts = new Map<string, number>()
  for (const worker of workers) counts.set(stateOf(worker), (counts.get(stateOf(worker)) ?? 0) + 1)
  return [...counts].map(([state, number]) => `${count(number)} ${state}`).join(', ')
}
