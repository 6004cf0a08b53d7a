import { chromium, type Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitUntil } from '@ballast/testing'
import { hostile, startCrowd, type Crowd } from '../fixtures/crowd.ts'
import { describeInBrowser } from '../fixtures/describe-in-browser.ts'
import { openPage } from '../fixtures/opened-page.ts'
import { overflowPx, seriousIssues } from '../fixtures/serious-issues.ts'

// 200 workers, a million rows and 100,000 counters stay readable, on the narrowest screen too.
await describeInBrowser((executablePath) => {
  const stack = new AsyncDisposableStack()
  const said: string[] = []
  let browser: Browser
  let crowd: Crowd
  beforeAll(async () => {
    crowd = stack.use(await startCrowd())
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
    stack.defer(() => browser.close())
  })
  afterAll(() => stack.disposeAsync())

  test('200 workers and a million rows', async () => {
    await using opened = await openPage(browser, `${crowd.scaler}/ui`, said, { width: 360 })
    const { page } = opened
    await opened.seen('.figures', /1,000,000/)
    await opened.seen('.card .note', /16,384 slots/)
    const names = page.locator('[data-worker] .who')
    await waitUntil(async () => (await names.count()) === 200)
    // Who is gone or goes stands first, and worker-2 before worker-10.
    expect((await names.allInnerTexts()).slice(0, 4).map((name) => name.trim())).toEqual([
      'worker-17',
      'worker-150',
      'worker-42',
      'worker-99',
    ])
    expect(await overflowPx(page)).toBeLessThanOrEqual(0)
    expect(await seriousIssues(page)).toEqual([])
    await page.getByLabel('Find').fill('<img')
    await waitUntil(async () => (await names.count()) === 1)
    expect((await names.first().innerText()).trim()).toBe(hostile)
    expect(await page.locator('main img').count()).toBe(0)
  })

  test('100,000 counters, of which a page takes longer to come than the next change', async () => {
    // Each sample says that something was applied, and asks for the list again: an answer that comes later must be shown all the same.
    const before = `
      const asked = window.fetch
      window.fetch = async (...request) => {
        if (String(request[0]).includes('/v1/counters')) await new Promise((resolve) => setTimeout(resolve, 900))
        return asked(...request)
      }`
    await using opened = await openPage(browser, `${crowd.counter}/ui`, said, { width: 360, before })
    const { page } = opened
    const names = page.locator('tbody tr td:first-child')
    await waitUntil(async () => (await names.count()) >= 25)
    expect((await names.nth(1).innerText()).trim()).toBe(`${hostile}/000001`)
    await page.getByRole('button', { name: 'Next' }).click()
    await opened.seen('tbody tr td', /crowd\/000025/)
    await page.getByRole('button', { name: 'Previous' }).click()
    await opened.seen('tbody tr td', /crowd\/000000/)
    expect(await overflowPx(page)).toBeLessThanOrEqual(0)
    expect(await seriousIssues(page)).toEqual([])
    expect(await page.locator('main img').count()).toBe(0)
  })

  test('no page complains', () => {
    expect(said).toEqual([])
  })
})
