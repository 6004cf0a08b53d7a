/** What the routes answer, as far as the command line shows it; `openapi.json` is the whole. */
export interface Workers {
  readonly leader: { readonly name: string; readonly epoch: string; readonly alive: boolean } | null
  readonly workers: readonly {
    readonly name: string
    readonly alive: boolean
    readonly draining: boolean
    readonly away: boolean
    readonly weight: number
    readonly zone: string
    readonly epoch: string
    readonly slots: number
    readonly rows: number
    readonly longestGapTicks: number
  }[]
}

export interface Pause {
  readonly paused: boolean
  readonly sinceMs: number | null
  readonly resuming: boolean
}

export interface RowPage {
  readonly count: number
  readonly rows: readonly { id: string; value: number | null; lastTick: string; worker: string | null }[]
  readonly next: string | null
}

export interface Explained {
  readonly id: string
  readonly value: number | null
  readonly behindTicks: number
  readonly slot: number
  readonly owner: string | null
  readonly ownerSinceMs: number | null
  readonly why: string
  readonly history: readonly { owner: string; sinceMs: number; cause: string | null }[]
}

export interface PlanAnswer {
  readonly unowned: number
  readonly moving: number
  readonly workers: readonly { name: string; alive: boolean; slots: number; targetSlots: number }[]
  readonly last: { cause: string; movedRows: number; minimumRows: number; maxOverMean: number; atMs: number } | null
}

export interface WhatIfAnswer {
  readonly rows: number
  readonly workers: number
  readonly joining: readonly string[]
  readonly unownedRows: number
  readonly strategies: readonly {
    strategy: string
    active: boolean
    movedRows: number
    minimumRows: number
    maxOverMean: number
    adoptRows: number
  }[]
}

export interface AutoscaleAnswer {
  readonly target: string
  readonly paused: boolean
  readonly dryRun: boolean
  readonly status: {
    readonly rows: number
    readonly workers: number
    readonly wanted: number
    readonly reason: string
    readonly leaving: readonly string[]
  } | null
  readonly cost: { readonly movedRows: number; readonly minimumRows: number; readonly maxOverMean: number } | null
}

export interface History {
  readonly events: readonly { atMs: number; kind: string; detail: Readonly<Record<string, unknown>> }[]
}
