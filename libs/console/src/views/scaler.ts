import { isRecord, rate, type Sample } from '../sample.ts'
import { count, duration } from './format.ts'
import type { View } from './view.ts'

export interface WorkerState {
  readonly name: string
  readonly alive: boolean
  readonly draining: boolean
  readonly away: boolean
  readonly zone: string
  readonly slots: number
  readonly rows: number
  /** How long ago its last tick was. */
  readonly behindMs: number
  readonly longestGapTicks: number
}

/** `state` of a sample of the control plane. */
export interface ScalerState {
  readonly workers: readonly WorkerState[]
  readonly rows: number
  readonly mapVersion: string
  readonly unowned: number
  readonly moving: number
  readonly doubledTicks: string
  readonly lostTicks: string
  readonly audits: number
}

/** Undefined while the control plane does not know, as its database is away. */
export function scalerState({ state }: Sample): ScalerState | undefined {
  if (typeof state['rows'] !== 'number') return undefined
  const number = (key: string): number => (typeof state[key] === 'number' ? state[key] : 0)
  const text = (key: string): string => (typeof state[key] === 'string' ? state[key] : '')
  const workers = Array.isArray(state['workers']) ? state['workers'].filter(isWorker) : []
  return {
    workers,
    rows: number('rows'),
    mapVersion: text('mapVersion'),
    unowned: number('unowned'),
    moving: number('moving'),
    doubledTicks: text('doubledTicks'),
    lostTicks: text('lostTicks'),
    audits: number('audits'),
  }
}

const isWorker = (value: unknown): value is WorkerState => isRecord(value) && typeof value['name'] === 'string'

/** The worst of the living. */
export const tickLagMs = (sample: Sample): number | undefined => {
  const alive = (scalerState(sample)?.workers ?? []).filter((worker) => worker.alive && worker.rows > 0)
  return alive.length === 0 ? undefined : Math.max(...alive.map(({ behindMs }) => behindMs))
}

export const scalerView: View = {
  title: 'scaler',
  promise: 'Each row is ticked once a second by exactly one worker, whoever is killed or paused.',
  figures: (now) => {
    const {
      workers,
      rows,
      unowned = 0,
      moving,
      doubledTicks,
      lostTicks,
      audits = 0,
    }: Partial<ScalerState> = scalerState(now) ?? {}
    const lag = tickLagMs(now)
    const clean = doubledTicks === '0' && lostTicks === '0'
    return [
      { label: 'rows', value: count(rows) },
      { label: 'workers', value: count(workers?.filter(({ alive }) => alive).length) },
      {
        label: 'last tick ago',
        value: duration(lag),
        ...(lag !== undefined && lag > 3_000 && { tone: 'warn' as const }),
      },
      { label: 'slots moving', value: count(moving) },
      {
        label: 'unowned',
        value: count(rows === undefined ? undefined : unowned),
        ...(unowned > 0 && rows !== 0 && { tone: 'warn' as const }),
      },
      {
        label: 'doubled, lost ticks',
        value: audits === 0 ? '–' : `${doubledTicks}, ${lostTicks}`,
        ...(audits > 0 && { tone: clean ? ('good' as const) : ('bad' as const) }),
      },
    ]
  },
  plots: [
    {
      title: 'Slots on the move or without an owner',
      unit: '',
      lines: [
        { label: 'moving', of: (now) => scalerState(now)?.moving ?? null },
        { label: 'unowned', of: (now) => scalerState(now)?.unowned ?? null },
      ],
    },
    {
      title: 'Time since the last tick, slowest worker',
      unit: 'ms',
      lines: [{ label: 'ago', of: (now) => tickLagMs(now) ?? null }],
    },
    {
      title: 'Rows moved by plans',
      unit: '/s',
      lines: [{ label: 'rows', of: (now, before) => rate(now, before, 'scaler_moved_rows_total') }],
    },
  ],
}
