import { useState } from 'preact/hooks'
import { isRecord, total } from '../sample.ts'
import { bytes, count, percent } from '../views/format.ts'
import { call } from './call.ts'
import type { Feed } from './feeds.ts'
import { Card, fieldOf, may, NeedsRole, Outcome, useAction } from './parts.tsx'
import type { PageProps } from './service-page.tsx'

export function MessageStorePage({ model, feed }: PageProps) {
  return (
    <div class="columns">
      <ByHand model={model} feed={feed} />
      <Sizes feed={feed} />
      <Room feed={feed} />
    </div>
  )
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function ByHand({ model }: PageProps) {
  const putting = useAction()
  const getting = useAction()
  const [digest, setDigest] = useState('')
  const [message, setMessage] = useState<string>()
  const put = (event: SubmitEvent): void => {
    event.preventDefault()
    if (!(event.currentTarget instanceof HTMLFormElement)) return
    const text = fieldOf(new FormData(event.currentTarget), 'message')
    putting.run(async () => {
      const { body, status } = await call('message-store', '/messages', { method: 'POST', body: { message: text } })
      const answered = isRecord(body) ? String(body['digest']) : ''
      setDigest(answered)
      return `${status === 201 ? 'Stored durably' : 'It was there already'}: ${answered}`
    })
  }
  const get = (verify: boolean): void =>
    getting.run(async () => {
      setMessage(undefined)
      const { body } = await call('message-store', `/messages/${encodeURIComponent(digest)}`)
      const text = isRecord(body) && typeof body['message'] === 'string' ? body['message'] : ''
      setMessage(text)
      if (!verify) return `${text.length} characters.`
      const own = await sha256(text)
      if (own !== digest) throw new Error(`This browser hashes it to ${own}: that is another digest.`)
      return 'This browser hashes it to the same digest.'
    })
  return (
    <Card title="Put, get and verify">
      <form class="fields" onSubmit={put}>
        <label>
          Message <textarea name="message" rows={3} required />
        </label>
        <p class="buttons">
          <button disabled={putting.busy || !may(model.access, 'writer')}>Put</button>
        </p>
      </form>
      <NeedsRole access={model.access} role="writer" />
      <Outcome said={putting.said} />
      <form class="fields" onSubmit={(event) => (event.preventDefault(), get(false))}>
        <label>
          SHA-256{' '}
          <input
            class="mono"
            value={digest}
            required
            pattern="[0-9a-f]{64}"
            onInput={({ currentTarget }) => setDigest(currentTarget.value.trim())}
          />
        </label>
        <p class="buttons">
          <button disabled={getting.busy || digest === ''}>Get</button>
          <button type="button" disabled={getting.busy || digest === ''} onClick={() => get(true)}>
            Get and verify
          </button>
        </p>
      </form>
      <Outcome said={getting.said} />
      {message !== undefined && <pre class="mono message">{message.slice(0, 10_000)}</pre>}
    </Card>
  )
}

const numbers = (value: unknown): readonly number[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'number') : []

function Sizes({ feed }: { readonly feed: Feed | undefined }) {
  const sizes = feed?.now?.state['sizes']
  const bounds = isRecord(sizes) ? numbers(sizes['boundsBytes']) : []
  const counts = isRecord(sizes) ? numbers(sizes['counts']) : []
  const all = counts.reduce((sum, each) => sum + each, 0)
  const most = Math.max(1, ...counts)
  const rows = counts.map((number, index) => ({
    label: index < bounds.length ? `to ${bytes(bounds[index])}` : 'larger',
    number,
  }))
  return (
    <Card title="Sizes">
      <p class="note">
        {all === 0
          ? 'No message is stored yet.'
          : `Of ${isRecord(sizes) && sizes['all'] === true ? 'all' : 'the first'} ${count(all)} messages.`}
      </p>
      {all > 0 && (
        <table class="bars">
          <tbody>
            {rows.map(({ label, number }) => (
              <tr key={label}>
                <th scope="row" class="nowrap">
                  {label}
                </th>
                <td>
                  <span class="bar" style={{ width: `${(100 * number) / most}%`, opacity: number === 0 ? 0.25 : 1 }} />
                </td>
                <td class="number">{count(number)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}

function Room({ feed }: { readonly feed: Feed | undefined }) {
  const now = feed?.now
  if (now === undefined) return null
  const stored = total(now, 'message_store_stored_bytes')
  const quota = total(now, 'message_store_quota_bytes')
  const scrubbed = total(now, 'message_store_scrubbed_bytes_total')
  const passes = total(now, 'message_store_scrubs_total')
  const damaged = total(now, 'message_store_integrity_failures_total')
  const families = isRecord(now.state['families']) ? Object.entries(now.state['families']) : []
  // Of the pass that is running, by what is stored now; a pass reads each blob once.
  const pass = stored === 0 ? 0 : Math.min(1, Math.max(0, scrubbed - passes * stored) / stored)
  return (
    <Card title="Quota and scrub">
      <h3 id="quota">Quota</h3>
      {quota > 0 && <progress max={1} value={stored / quota} aria-labelledby="quota" />}
      <p class="note">
        {bytes(stored)} stored
        {quota > 0 ? `, ${percent(stored / quota)} of ${bytes(quota)}` : '; the disk is the only limit'}.
      </p>
      <h3 id="scrub">Scrub</h3>
      <progress max={1} value={pass} aria-labelledby="scrub" />
      <p class="note">
        {passes === 1 ? '1 pass' : `${count(passes)} passes`} since the start, about {percent(pass)} of the next one;{' '}
        {bytes(scrubbed)} read.
      </p>
      <p class={damaged > 0 ? 'outcome bad' : 'outcome good'}>
        {damaged > 0
          ? `${count(damaged)} damaged and set aside: put them again.`
          : 'No damage was found since the start.'}
      </p>
      {families.length > 0 && (
        <table>
          <thead>
            <tr>
              <th>Family</th>
              <th class="number">Entries</th>
              <th class="number">Bytes</th>
            </tr>
          </thead>
          <tbody>
            {families.map(([name, usage]) => (
              <tr key={name}>
                <td>{name}</td>
                <td class="number">{isRecord(usage) ? count(Number(usage['entries'])) : ''}</td>
                <td class="number">{isRecord(usage) ? bytes(Number(usage['sizeBytes'])) : ''}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  )
}
