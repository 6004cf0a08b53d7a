import type { ComponentType } from 'preact'
import { views } from '../views/index.ts'
import { CounterPage } from './counter-page.tsx'
import type { Feed, Model } from './feeds.ts'
import { LoadPage } from './load-page.tsx'
import { MessageStorePage } from './message-store-page.tsx'
import { Figures, isStale, Plots, Status } from './parts.tsx'
import { ScalerPage } from './scaler-page.tsx'

export interface PageProps {
  readonly model: Model
  readonly feed: Feed | undefined
}

/** What a service's page has below its figures and plots. */
export const pages: ReadonlyMap<string, ComponentType<PageProps>> = new Map([
  ['counter', CounterPage],
  ['message-store', MessageStorePage],
  ['scaler', ScalerPage],
  ['load-tolerant-api', LoadPage],
])

export function ServicePage({ service, model }: { readonly service: string; readonly model: Model }) {
  const feed = model.feeds.get(service)
  const view = views[service]
  const Below = pages.get(service)
  if (view === undefined) return <p>There is no page for {service}.</p>
  return (
    <>
      <div class="title">
        <h1>{view.title}</h1>
        <Status feed={feed} model={model} />
        <p>{view.promise}</p>
      </div>
      {feed?.now !== undefined && (
        <Figures figures={view.figures(feed.now, feed.before)} stale={isStale(model, feed)} />
      )}
      <Plots view={view} feed={feed} />
      {Below !== undefined && <Below model={model} feed={feed} />}
    </>
  )
}
