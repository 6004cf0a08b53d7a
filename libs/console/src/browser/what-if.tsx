import type { RefObject } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { isRecord } from '../sample.ts'
import { count, decimal } from '../views/format.ts'
import { scalerState, type ScalerState } from '../views/scaler.ts'
import { call } from './call.ts'
import type { Model } from './feeds.ts'
import { Card, fieldOf, may, Outcome, useAction, type Said } from './parts.tsx'

/** What can be done after its cost was told. */
interface Change {
  readonly label: string
  readonly role: string
  readonly go: () => Promise<string>
}

export interface Considered {
  readonly said: Said
  readonly busy: boolean
  readonly changes: readonly Change[]
  readonly place: RefObject<HTMLDivElement | null>
  /** So many workers join, and this one leaves or is drained ('': nobody). */
  readonly ask: (join: number, leave: string) => void
  readonly go: (change: Change) => void
}

/** The most workers that the launcher is asked to run. */
const mostWorkers = 16

/** The cost of a change of the workers first, then the buttons that make just this change. */
export function useWhatIf(model: Model): Considered {
  const { said, busy, run } = useAction()
  const [changes, setChanges] = useState<readonly Change[]>([])
  const place = useRef<HTMLDivElement>(null)
  return {
    said,
    busy,
    changes,
    place,
    ask(join, leave) {
      setChanges([])
      run(async () => {
        const cost = await costOf(model, join, leave)
        setChanges(changesOf(model, join, leave))
        place.current?.focus()
        return cost
      })
    },
    go(change) {
      setChanges([])
      run(change.go)
    },
  }
}

/** Under the names which the launcher would give: another name could tip another of two equal slots. */
async function costOf({ platform, feeds }: Model, join: number, leave: string): Promise<string> {
  const sample = feeds.get('scaler')?.now
  const workers = (sample && scalerState(sample)?.workers) ?? []
  const living = new Set(workers.filter(({ alive }) => alive).map(({ name }) => name))
  const running = workersOf(platform).length
  const named = platform === undefined ? [] : Array.from({ length: join }, (_, n) => `worker-${running + n}`)
  // One that was just stopped may live on for a lease: then the control plane chooses the names.
  const names = named.some((name) => living.has(name)) ? [] : named
  const query = new URLSearchParams({ add: String(join), join: names.join(), remove: leave, strategy: 'active' })
  const { body } = await call('scaler', `/v1/what-if?${query}`)
  const answers = isRecord(body) && Array.isArray(body['strategies']) ? body['strategies'].filter(isRecord) : []
  const active = answers.find((answer) => answer['active'] === true)
  if (active === undefined) throw new Error('nothing was answered')
  const number = (key: string): number => Number(active[key])
  const joining = isRecord(body) && Array.isArray(body['joining']) ? body['joining'].map(String) : []
  const what = [joining.length > 0 ? `with ${listed(joining)}` : '', leave === '' ? '' : `without ${leave}`]
  return `${what.filter((part) => part !== '').join(', ') || 'as it is'}: it would move ${count(number('movedRows'))} rows in ${count(number('movedSlots'))} slots (no plan can move fewer than ${count(number('minimumRows'))} rows); the largest share would be ${decimal(number('maxOverMean'))} of the mean.`
}

const listed = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${count(names.length)} more, ${names[0]} to ${names.at(-1)}`

const workersOf = (platform: Model['platform']) =>
  platform?.processes.filter(({ name }) => name.startsWith('worker-')) ?? []

const replicas = (label: string, wanted: number): Change => ({
  label,
  role: 'admin',
  async go() {
    await call('', `/chaos/replicas/scaler/${wanted}`, { method: 'POST' })
    return `${wanted} workers run.`
  },
})

function changesOf({ platform }: Model, join: number, leave: string): readonly Change[] {
  const workers = workersOf(platform)
  if (leave === '') {
    const fits = join > 0 && platform !== undefined && workers.length + join <= mostWorkers
    return fits ? [replicas(join === 1 ? 'Start 1 worker' : `Start ${join} workers`, workers.length + join)] : []
  }
  if (join > 0) return []
  const drain: Change = {
    label: `Drain ${leave}`,
    role: 'operator',
    async go() {
      await call('scaler', `/v1/workers/${encodeURIComponent(leave)}/drain`, { method: 'POST' })
      return `${leave} gives its rows away; a restart ends that.`
    },
  }
  // The launcher takes away the one that it has started last.
  const isLast = workers.length > 1 && leave === `worker-${workers.length - 1}`
  return isLast ? [drain, replicas(`Stop ${leave}`, workers.length - 1)] : [drain]
}

export function WhatIf({
  model,
  state,
  considered,
}: {
  readonly model: Model
  readonly state: ScalerState
  readonly considered: Considered
}) {
  const { said, busy, changes, place, ask, go } = considered
  const submit = (event: SubmitEvent): void => {
    event.preventDefault()
    if (!(event.currentTarget instanceof HTMLFormElement)) return
    const fields = new FormData(event.currentTarget)
    ask(Number(fieldOf(fields, 'join')), fieldOf(fields, 'leave'))
  }
  const living = state.workers.filter(({ alive, draining }) => alive && !draining).map(({ name }) => name)
  return (
    <Card title="What if">
      <p class="note">
        The planner is asked what a change would cost; nothing changes before the button that then comes.
      </p>
      <form class="fields" onSubmit={submit}>
        <label>
          Workers that join <input name="join" type="number" min={0} max={1000} required defaultValue="1" />
        </label>
        <label>
          A worker that leaves or is drained
          <select name="leave">
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
      <div ref={place} tabIndex={-1}>
        <Outcome said={said} />
        {changes.length > 0 && (
          <p class="buttons">
            {changes.map((change) => (
              <button
                key={change.label}
                type="button"
                class="grave"
                disabled={busy || !may(model.access, change.role)}
                onClick={() => go(change)}
              >
                {change.label}
              </button>
            ))}
          </p>
        )}
      </div>
    </Card>
  )
}
