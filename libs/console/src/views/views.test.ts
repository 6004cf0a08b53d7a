import { expect, test } from 'vitest'
import type { Sample } from '../sample.ts'
import { views } from './index.ts'
import { textTable } from './text-table.ts'

const empty = (service: string, atMs: number): Sample => ({ service, atMs, series: {}, state: {}, troubles: [] })

/** What serves a page at /ui: the four services, and the processes beside them. */
test.each(['counter', 'message-store', 'scaler', 'load-tolerant-api', 'consumer', 'worker'])(
  '%s has figures and plots from its first sample on, whatever is missing in it',
  (service) => {
    const view = views[service]
    expect(view?.figures(empty(service, 1), undefined).length).toBeGreaterThanOrEqual(5)
    const values = view?.plots.flatMap(({ lines }) => lines.map(({ of }) => of(empty(service, 2), empty(service, 1))))
    expect(values?.length).toBeGreaterThanOrEqual(2)
    expect(values?.filter((value) => Number.isNaN(value))).toEqual([])
    expect(textTable(empty(service, 2), empty(service, 1))).toMatch(new RegExp(`^${service}\\n(?:  \\S.*  \\S.*\\n)+$`))
  },
)

test('a scaler that cannot ask its database claims no zeros', () => {
  const ill = empty('scaler', 1)
  expect(views['scaler']?.figures(ill, undefined).map(({ value }) => value)).toEqual(['–', '–', '–', '–', '–', '–'])
  const [slots, lag] = views['scaler']?.plots ?? []
  expect([slots, lag].flatMap((plot) => plot?.lines.map(({ of }) => of(ill, undefined)))).toEqual([null, null, null])
  const well = { ...ill, state: { rows: 0, unowned: 16_384, moving: 0, workers: [] } }
  expect(views['scaler']?.figures(well, undefined).map(({ value }) => value)).toEqual([
    '0',
    '0',
    '–',
    '0',
    '16,384',
    '–',
  ])
})

test('a trouble stands first, and cannot move the cursor of a terminal', () => {
  const ill = { ...empty('counter', 1), troubles: ['store: \u001B[2J\ngone'] }
  expect(textTable(ill, undefined)).toMatch(/^counter\n {2}not ready +store: +\[2J gone\n/)
})
