import { views } from '../views/index.ts'
import { ChaosPanel } from './chaos-panel.tsx'
import type { Model } from './feeds.ts'
import { Figures, isStale, Status } from './parts.tsx'
import { PlotView } from './plot.tsx'
import { pages } from './service-page.tsx'

/** One live panel per service. */
export function Overview({ model }: { readonly model: Model }) {
  const shown = [...pages.keys()].filter((name) => model.feeds.size === 0 || model.feeds.has(name))
  return (
    <>
      <div class="title">
        <h1>Overview</h1>
        <p>An acknowledged effect is never lost, never doubled, and you can check that yourself.</p>
      </div>
      <div class="panels">
        {shown.map((name) => {
          const view = views[name]
          const feed = model.feeds.get(name)
          const [plot] = view?.plots ?? []
          if (view === undefined || plot === undefined) return null
          return (
            <section class="card panel" key={name} data-service={name}>
              <h2>
                <a href={`#/${name}`}>{view.title}</a>
              </h2>
              <Status feed={feed} model={model} />
              <p>{view.promise}</p>
              {feed?.now !== undefined && (
                <Figures figures={view.figures(feed.now, feed.before).slice(0, 6)} stale={isStale(model, feed)} />
              )}
              <PlotView plot={plot} data={feed?.history[0]} height={110} />
            </section>
          )
        })}
      </div>
      {model.platform !== undefined && <ChaosPanel model={model} platform={model.platform} />}
    </>
  )
}
