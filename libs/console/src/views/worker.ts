import { mean, rate, total } from '../sample.ts'
import { count, duration, inMs } from './format.ts'
import type { View } from './view.ts'

const lag = 'scaler_tick_lag_seconds'
const tick = 'scaler_tick_seconds'

export const workerView: View = {
  title: 'worker',
  promise: 'Ticks the rows that it owns once a second; what it no longer owns, the database refuses from it.',
  figures: (now, before) => {
    const fenced = total(now, 'scaler_fenced_writes_total')
    return [
      { label: 'rows', value: count(total(now, 'scaler_watched_rows')) },
      { label: 'a tick takes', value: duration(inMs(mean(now, before, tick))) },
      { label: 'began late by', value: duration(inMs(total(now, lag))) },
      { label: 'rows credited', value: count(total(now, 'scaler_row_ticks_total')) },
      { label: 'credited late', value: count(total(now, 'scaler_caught_up_ticks_total')) },
      { label: 'refused by a fence', value: count(fenced), ...(fenced > 0 && { tone: 'warn' as const }) },
      { label: 'slots handed over', value: count(total(now, 'scaler_handed_over_slots_total')) },
      { label: 'at the maximum', value: count(total(now, 'scaler_saturated_rows')) },
    ]
  },
  plots: [
    { title: 'Rows', unit: '', lines: [{ label: 'watched', of: (now) => total(now, 'scaler_watched_rows') }] },
    {
      title: 'Tick',
      unit: 'ms',
      lines: [
        { label: 'duration', of: (now, before) => inMs(mean(now, before, tick)) },
        { label: 'began late by', of: (now) => inMs(total(now, lag)) },
      ],
    },
    {
      title: 'Slots handed to other workers',
      unit: '/s',
      lines: [{ label: 'slots', of: (now, before) => rate(now, before, 'scaler_handed_over_slots_total') }],
    },
  ],
}
