import { waitUntil } from '@ballast/testing'
import { expect, test } from 'vitest'
import { isObject } from '../../../platform/log-record.ts'
import type { ConsoleInBrowser } from '../../fixtures/console-in-browser.ts'

/** The colours of at least a twentieth of the map: marks of slots that have just moved are not among them. */
const coloursOfSlots = `(() => {
  const canvas = document.querySelector('canvas.slots')
  if (canvas === null) return ''
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const counts = new Map()
  for (let at = 0; at < data.length; at += 4) {
    const colour = data.slice(at, at + 3).join(' ')
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count > data.length / 80).map(([colour]) => colour).sort().join()
})()`

const rows = 500

interface Slots {
  readonly names: readonly string[]
  readonly owners: readonly number[]
}

/** `console` is there once the tests run. */
export function scalerSuite(console: () => ConsoleInBrowser): void {
  const get = async (path: string): Promise<Record<string, unknown>> => {
    const body: unknown = await (await console().ask(`/scaler${path}`, 'GET')).json()
    if (!isObject(body)) throw new Error(`${path} is no object`)
    return body
  }
  const someRows = async (): Promise<void> => {
    if ((await get('/v1/rows?limit=1'))['count'] === 0) await console().ask('/scaler/v1/rows', 'POST', { count: rows })
    await waitUntil(async () => (await get('/v1/what-if'))['rows'] === rows, { what: 'the planner has counted them' })
  }
  const ownersNow = async (): Promise<readonly (string | undefined)[]> => {
    const { names, owners } = (await get('/ui/map')) as unknown as Slots
    return owners.map((index) => names[index])
  }
  const settled = (): Promise<unknown> =>
    waitUntil(
      async () => {
        const { moving, unowned } = await get('/v1/plan')
        return moving === 0 && unowned === 0
      },
      { timeoutMs: 60_000, what: 'no slot moves' },
    )

  const lastPlan = async (): Promise<Record<string, unknown>> => {
    const { last } = await get('/v1/plan')
    return isObject(last) ? last : {}
  }
  /** Carried out, and a later one than `earlier`. */
  const nextPlan = async (earlier: Record<string, unknown>): Promise<Record<string, unknown>> => {
    await waitUntil(async () => (await lastPlan())['atMs'] !== earlier['atMs'], {
      timeoutMs: 60_000,
      what: 'a plan',
    })
    await settled()
    return lastPlan()
  }
  const movedSince = async (before: readonly (string | undefined)[]): Promise<number> => {
    const now = await ownersNow()
    return now.filter((owner, slot) => owner !== before[slot]).length
  }

  test('the slots of a worker that is killed change colour within 5 s', async ({ annotate }) => {
    await someRows()
    await using scaler = await console().open('#/scaler')
    const { page } = scaler
    await scaler.seen('[data-worker=worker-1]', /alive/)
    await settled()
    const colours = (): Promise<string> => page.evaluate(coloursOfSlots)
    await waitUntil(async () => (await colours()).split(',').length === 2, { timeoutMs: 60_000, what: 'two colours' })
    const before = await colours()
    // Looked at in the page; a look takes some milliseconds, so it is not one a frame.
    const changed: Promise<number> = page.evaluate(`new Promise((resolve) => {
      const timer = setInterval(() => {
        if (${coloursOfSlots} === ${JSON.stringify(before)}) return
        clearInterval(timer)
        resolve(Date.now())
      }, 50)
    })`)
    const killedMs = Date.now()
    const { status } = await console().ask('/chaos/processes/worker-1/kill')
    expect(status).toBe(200)
    const tookMs = (await changed) - killedMs
    await annotate(`kill -9 to another colour: ${tookMs} ms`)
    expect(tookMs).toBeLessThan(5_000)
    await scaler.seen('[data-worker=worker-1]', /alive/)
    await waitUntil(async () => (await colours()) === before, { timeoutMs: 60_000, what: 'its colour is back' })
  })

  test('what a what-if says is what the move then costs: a worker that joins, one that is drained', async () => {
    await someRows()
    await using scaler = await console().open('#/scaler', { token: console().token })
    const { page } = scaler
    const cost = page.locator('.outcome.good', { hasText: 'would move' })
    const told = async (): Promise<{ readonly movedRows: number; readonly movedSlots: number }> => {
      const [, rows = '', slots = ''] = /move ([\d,]+) rows in ([\d,]+) slots/.exec(await cost.innerText()) ?? []
      return { movedRows: Number(rows.replaceAll(',', '')), movedSlots: Number(slots.replaceAll(',', '')) }
    }
    await scaler.seen('[data-worker=worker-1]', /alive/)
    await settled()

    await page.getByLabel('Workers that join').fill('1')
    await page.getByRole('button', { name: 'What would it move?' }).click()
    await scaler.seen('.outcome.good', /^with worker-2: it would move [1-9]/)
    const joining = await told()
    let before = await ownersNow()
    let plan = await lastPlan()
    await page.getByRole('button', { name: 'Start 1 worker' }).click()
    plan = await nextPlan(plan)
    expect(plan).toMatchObject(joining)
    expect(await movedSince(before)).toBe(joining.movedSlots)

    await page.getByRole('button', { name: 'drain worker-2', exact: true }).click()
    await waitUntil(async () => (await cost.innerText()).startsWith('without worker-2'), {
      what: 'the cost of a drain',
    })
    const draining = await told()
    before = await ownersNow()
    await page.getByRole('button', { name: 'Drain worker-2', exact: true }).click()
    expect(await nextPlan(plan)).toMatchObject(draining)
    expect(await movedSince(before)).toBe(draining.movedSlots)
    await scaler.seen('[data-worker=worker-2]', /draining\s+0\b/)
    await console().ask('/chaos/replicas/scaler/2')
  })
}
