import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Browser } from 'playwright-core'

export interface Places {
  /** Of the console, without and with its token. */
  readonly platform: string
  readonly address: string
  /** Of the crowded pages. */
  readonly scaler: string
  readonly counter: string
}

/** So much of a plot is to be seen. */
const settleMs = 4_000

/** Every page, light and dark, wide and narrow. Yields the files as they are written. */
export async function* photograph(browser: Browser, folder: string, places: Places): AsyncGenerator<string> {
  await mkdir(folder, { recursive: true })
  const pages: readonly (readonly [name: string, url: string])[] = [
    ['crowd-scaler', `${places.scaler}/ui`],
    ['crowd-counter', `${places.counter}/ui`],
    ...['counter', 'message-store', 'scaler', 'load-tolerant-api'].map(
      (name) => [name, `${places.platform}/#/${name}`] as const,
    ),
    // Last: its plots have the most to show by then.
    ['overview', `${places.platform}/#/`],
  ]
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of [1280, 360]) {
      const page = await browser.newPage({ colorScheme: scheme, viewport: { width, height: 900 } })
      await page.goto(places.address)
      for (const [name, url] of pages) {
        await page.goto(url)
        await delay(settleMs)
        const path = join(folder, `${name}-${scheme}-${width}.png`)
        await page.screenshot({ path, fullPage: true })
        yield path
      }
      await page.close()
    }
  }
}
