import type { Limits } from '@ballast/state-stores/work-item'

/** What `PATCH /v1/limits` may change while everything runs; it then holds for all control planes, before their options. */
export interface Tuning {
  readonly imbalancePermille: number
  readonly rebalanceIntervalMs: number
  /** 0: no limit. */
  readonly churnBudgetRows: number
  readonly autoscale: boolean
  readonly rowsPerWorker: number
  readonly minWorkers: number
  readonly maxWorkers: number
}

const names: Readonly<Record<keyof Tuning, true>> = {
  imbalancePermille: true,
  rebalanceIntervalMs: true,
  churnBudgetRows: true,
  autoscale: true,
  rowsPerWorker: true,
  minWorkers: true,
  maxWorkers: true,
}
export const limitNames: readonly string[] = Object.keys(names)

/** The defaults with what is set in the store; a value of the wrong kind, or a name that is not known, counts for nothing. */
export function tuned(defaults: Tuning, limits: Limits): Tuning {
  const number = (name: Exclude<keyof Tuning, 'autoscale'>): number => {
    const set = limits[name]
    return typeof set === 'number' ? set : defaults[name]
  }
  const autoscale = limits['autoscale']
  return {
    imbalancePermille: number('imbalancePermille'),
    rebalanceIntervalMs: number('rebalanceIntervalMs'),
    churnBudgetRows: number('churnBudgetRows'),
    autoscale: typeof autoscale === 'boolean' ? autoscale : defaults.autoscale,
    rowsPerWorker: number('rowsPerWorker'),
    minWorkers: number('minWorkers'),
    maxWorkers: number('maxWorkers'),
  }
}
