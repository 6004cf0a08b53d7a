import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Figure, View } from '../views/view.ts'
import type { Access, Feed, Model } from './feeds.ts'
import { PlotView } from './plot.tsx'

const roles = ['public', 'reader', 'writer', 'operator', 'admin']

export const may = (access: Access | undefined, role: string): boolean =>
  access !== undefined && roles.indexOf(access.role) >= roles.indexOf(role)

/** `stale`: nothing newer is known, and that is to be seen. */
export function Figures({ figures, stale = false }: { readonly figures: readonly Figure[]; readonly stale?: boolean }) {
  return (
    <dl class={stale ? 'figures stale' : 'figures'}>
      {figures.map(({ label, value, tone }) => (
        <div key={label} class={tone}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

/** Whether what is shown of a service is how it was, not how it is. */
export const isStale = ({ link }: Model, feed: Feed | undefined): boolean =>
  link.kind === 'lost' || link.kind === 'refused' || feed?.down !== undefined

/** In words, and with a shape beside the colour. */
export function Status({ feed, model }: { readonly feed: Feed | undefined; readonly model: Model }) {
  const { link } = model
  const [tone, text] =
    link.kind === 'refused'
      ? ['bad', link.why]
      : link.kind === 'lost'
        ? ['bad', `no connection: ${link.why}`]
        : feed?.down !== undefined
          ? ['bad', `down: ${feed.down}`]
          : feed?.now === undefined
            ? ['wait', 'connecting']
            : feed.silentS > 0
              ? ['warn', `slow: silent for ${feed.silentS} s`]
              : feed.now.troubles.length > 0
                ? ['bad', `not ready: ${feed.now.troubles.join('; ')}`]
                : ['good', 'ready']
  return (
    <span class={`status ${tone}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
    </span>
  )
}

export function Plots({ view, feed }: { readonly view: View; readonly feed: Feed | undefined }) {
  return (
    <div class="plots">
      {view.plots.map((plot, index) => (
        <PlotView key={plot.title} plot={plot} data={feed?.history[index]} height={150} />
      ))}
    </div>
  )
}

export function Card({
  title,
  children,
  wide,
}: {
  readonly title: string
  readonly children: ComponentChildren
  readonly wide?: boolean
}) {
  return (
    <section class={wide === true ? 'card wide' : 'card'}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}

export type Said = { readonly tone: 'good' | 'bad' | 'wait'; readonly text: string } | undefined

/** What takes longer says so; what does not must not flicker. */
const patienceMs = 300

/** Runs what a button does, once at a time, and says what became of it. */
export function useAction(): {
  readonly said: Said
  readonly busy: boolean
  readonly run: (action: () => Promise<string>) => void
} {
  const [said, say] = useState<Said>(undefined)
  const [busy, setBusy] = useState(false)
  const run = (action: () => Promise<string>): void => {
    setBusy(true)
    const slow = setTimeout(() => say({ tone: 'wait', text: 'Under way …' }), patienceMs)
    action()
      .finally(() => clearTimeout(slow))
      .then(
        (text) => say({ tone: 'good', text }),
        (error: unknown) => say({ tone: 'bad', text: error instanceof Error ? error.message : String(error) }),
      )
      .finally(() => setBusy(false))
      .catch(() => {})
  }
  return { said, busy, run }
}

export const Outcome = ({ said }: { readonly said: Said }) => (
  <p class={`outcome ${said?.tone ?? ''}`} role="status">
    {said?.text ?? ''}
  </p>
)

/** Why a button is not there to be pressed. */
export function NeedsRole({ access, role }: { readonly access: Access | undefined; readonly role: string }) {
  if (may(access, role)) return null
  return <p class="note">Read-only: this needs a token of the role {role}.</p>
}

export function fieldOf(fields: FormData, name: string): string {
  const value = fields.get(name)
  return typeof value === 'string' ? value.trim() : ''
}
