import { scalerState } from '../views/scaler.ts'
import { call } from './call.ts'
import type { Model, PlatformState, Promised } from './feeds.ts'
import { Card, may, NeedsRole, Outcome, useAction } from './parts.tsx'

const stateText = (paused: boolean, state: string): string =>
  paused ? 'paused' : state === 'waiting' ? 'to be restarted' : state
const toneOf = (paused: boolean, state: string): string => (paused || state !== 'ready' ? 'warn' : '')

/** Pull the plug, and see whether what was promised is kept. */
export function ChaosPanel({ model, platform }: { readonly model: Model; readonly platform: PlatformState }) {
  const { said, busy, run } = useAction()
  const allowed = may(model.access, 'admin') && !busy
  const strike = (name: string, blow: string, told: string): void =>
    run(async () => {
      await call('', `/chaos/processes/${encodeURIComponent(name)}/${blow}`, { method: 'POST' })
      return `${name} was ${told}.`
    })
  return (
    <div class="columns chaos">
      <Card title="Pull a plug">
        <p class="note">Signals to the processes that this launcher has started. It starts again what dies.</p>
        <div class="scroll" tabIndex={0} role="region" aria-label="Processes">
          <table>
            <thead>
              <tr>
                <th>Process</th>
                <th class="extra">State</th>
                <th class="number extra">Restarts</th>
                <th>
                  <span class="hidden">Signals</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {platform.processes.map(({ name, state, paused, restarts, pid }) => (
                <tr key={name} data-process={name}>
                  <td>
                    {name}
                    <span class={`narrow ${toneOf(paused, state)}`}>{stateText(paused, state)}</span>
                  </td>
                  <td class={`nowrap extra ${toneOf(paused, state)}`}>{stateText(paused, state)}</td>
                  <td class="number extra">{restarts}</td>
                  <td class="number">
                    <button
                      type="button"
                      class="grave"
                      aria-label={`kill -9 ${name}`}
                      disabled={!allowed || pid === null}
                      onClick={() => strike(name, 'kill', 'killed with signal 9')}
                    >
                      kill -9
                    </button>{' '}
                    <button
                      type="button"
                      aria-label={`${paused ? 'resume' : 'pause'} ${name}`}
                      disabled={!allowed || pid === null}
                      onClick={() => strike(name, paused ? 'resume' : 'pause', paused ? 'resumed' : 'paused')}
                    >
                      {paused ? 'resume' : 'pause'}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <NeedsRole access={model.access} role="admin" />
        <Outcome said={said} />
      </Card>
      <Verify model={model} platform={platform} allowed={allowed} />
    </div>
  )
}

function Verify({
  model,
  platform,
  allowed,
}: {
  readonly model: Model
  readonly platform: PlatformState
  readonly allowed: boolean
}) {
  const { said, run } = useAction()
  const { running, promises } = platform.witness
  const sample = model.feeds.get('scaler')?.now
  const ticks = sample === undefined ? undefined : scalerState(sample)
  const toggle = (): void =>
    run(async () => {
      await call('', `/chaos/witness/${running ? 'stop' : 'start'}`, { method: 'POST' })
      return running
        ? 'The witness has stopped; its numbers stay.'
        : 'The witness writes twice a second and looks at all that was acknowledged.'
    })
  return (
    <Card title="Verify">
      <p class="note">
        A witness writes to each service, notes what was acknowledged, and looks whether all of it is there. Pull plugs
        meanwhile.
      </p>
      <p class="buttons">
        <button type="button" disabled={!allowed} onClick={toggle}>
          {running ? 'Stop the witness' : 'Start the witness'}
        </button>
      </p>
      <div class="scroll" tabIndex={0} role="region" aria-label="Verify">
        <table>
          <thead>
            <tr>
              <th>Promise</th>
              <th class="number">acknowledged</th>
              <th class="number">lost</th>
              <th class="number">doubled</th>
            </tr>
          </thead>
          <tbody>
            {promises.map((promise) => (
              <PromiseRow key={promise.service} promise={promise} />
            ))}
            <tr>
              <td>
                scaler<span class="quiet">: ticks of rows, audited by the control plane</span>
              </td>
              <td class="number">{ticks === undefined || ticks.audits === 0 ? '–' : `${ticks.audits} audits`}</td>
              <Verdict number={Number(ticks?.lostTicks ?? 0)} known={(ticks?.audits ?? 0) > 0} />
              <Verdict number={Number(ticks?.doubledTicks ?? 0)} known={(ticks?.audits ?? 0) > 0} />
            </tr>
          </tbody>
        </table>
      </div>
      <Outcome said={said} />
    </Card>
  )
}

function PromiseRow({ promise }: { readonly promise: Promised }) {
  const { service, what, acknowledged, missing, doubled, trouble } = promise
  return (
    <tr data-promise={service}>
      <td>
        {service}
        <span class="quiet">: {what}</span>
        {trouble !== undefined && <span class="warn"> (no answer just now: {trouble})</span>}
      </td>
      <td class="number">{acknowledged}</td>
      <Verdict number={missing} known={acknowledged > 0} />
      <Verdict number={doubled ?? 0} known={acknowledged > 0 && doubled !== undefined} />
    </tr>
  )
}

const Verdict = ({ number, known }: { readonly number: number; readonly known: boolean }) => (
  <td class={known ? (number === 0 ? 'number good' : 'number bad') : 'number quiet'}>{known ? number : '–'}</td>
)
