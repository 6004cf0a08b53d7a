import { consoleRoutes } from '@ballast/console'
import { buildServer, type App, type Routes, type ServerOptions } from '@ballast/service'
import { NotAppliedError, OutcomeUnknownError } from '@ballast/state-stores/outcome'
import type { WorkItemStore } from '@ballast/state-stores/work-item'
import { consoleOf, slotMapRoute } from './console.ts'
import type { Tuning } from './control-plane/limits.ts'
import type { Strategy } from './control-plane/strategy.ts'
import type { TickAudit } from './control-plane/tick-audit.ts'
import { problems } from './problems.ts'
import { autoscaleRoutes, type Autoscaling } from './routes/autoscale.ts'
import { explainRoutes } from './routes/explain.ts'
import { limitRoutes } from './routes/limits.ts'
import { pauseRoutes } from './routes/pause.ts'
import { planRoutes } from './routes/plan.ts'
import { rowRoutes } from './routes/rows.ts'
import { statsRoutes } from './routes/stats.ts'
import { whatIfRoutes } from './routes/what-if.ts'
import { workerRoutes } from './routes/workers.ts'

export interface AppParts {
  readonly server: ServerOptions
  readonly store: WorkItemStore
  readonly audit: () => TickAudit
  readonly strategy: Strategy
  readonly zones: 'weights' | 'spread'
  /** The limits as the options say. */
  readonly defaults: Tuning
  readonly autoscaling: Autoscaling
}

export async function build({ server, store, audit, strategy, zones, defaults, autoscaling }: AppParts): Promise<App> {
  const app = await buildServer({
    ...server,
    problems,
    limitsRate: true,
    openapi: { title: 'Scaler', description: 'Spreads the rows of a table over workers, each ticked by exactly one.' },
  })
  const routes: Routes = async (api) => {
    api.setErrorHandler((error) => {
      throw storeProblem(error)
    })
    await api.register(workerRoutes, { store })
    await api.register(planRoutes, { store })
    await api.register(whatIfRoutes, { store, strategy, zones })
    await api.register(pauseRoutes, { store })
    await api.register(limitRoutes, { store, defaults })
    await api.register(autoscaleRoutes, { store, strategy, zones, defaults, autoscaling })
    await api.register(rowRoutes, { store })
    await api.register(explainRoutes, { store })
    await api.register(statsRoutes, { store, audit })
  }
  await app.register(routes)
  await app.register(consoleRoutes, consoleOf(server, store, audit))
  await app.register(slotMapRoute, { store })
  return app
}

/**
 * Classes of SQLSTATE that say no to the statement itself, whenever it comes: wrong data, constraints, objects or rights that are
 * missing, what triggers raise, a program limit, damage. All others pass: locks, time-outs, resources, a server that only reads.
 */
const lasting = /^(?:0A|21|22|23|2F|38|39|3F|42|44|54|P0|XX)[0-9A-Z]{3}$/

function isLasting({ cause }: Error): boolean {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' && lasting.test(cause.code)
}

function storeProblem(error: unknown): unknown {
  if (error instanceof NotAppliedError && isLasting(error)) {
    return problems.create('store-refused', `${error.message}; nothing was changed`, { cause: error })
  }
  if (error instanceof NotAppliedError) {
    return problems.create('store-unavailable', `${error.message}; try again in a second`, {
      headers: { 'retry-after': '1' },
      cause: error,
    })
  }
  if (error instanceof OutcomeUnknownError) {
    return problems.create('outcome-unknown', `${error.message}; read what is there before you repeat it`, {
      cause: error,
    })
  }
  return error
}
