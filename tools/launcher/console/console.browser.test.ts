import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, waitUntil } from '@ballast/testing'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isObject } from '../../platform/log-record.ts'
import { freePortBase } from '../../platform/ports.ts'
import { findChromium } from '../fixtures/browser.ts'
import { startLauncher } from '../fixtures/start-launcher.ts'

// The pages in a real browser, on the real platform.
const program = fileURLToPath(new URL('../main.ts', import.meta.url))
const executablePath = findChromium(process.env)

test.skipIf(executablePath !== undefined || process.env['BACKENDS'] !== 'all')(
  'the pages in a browser need Chromium: apt-get install chromium, BACKENDS_INSTALL=1 or CHROMIUM=<path>',
  () => {
    expect(executablePath).toBeDefined()
  },
)

/** The colours of at least a twentieth of the map: marks of slots that have just moved are not among them. */
const coloursOfSlots = `(() => {
  const canvas = document.querySelector('canvas.slots')
  if (canvas === null) return []
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  const counts = new Map()
  for (let at = 0; at < data.length; at += 4) {
    const colour = data.slice(at, at + 3).join(' ')
    counts.set(colour, (counts.get(colour) ?? 0) + 1)
  }
  return [...counts].filter(([, count]) => count > data.length / 80).map(([colour]) => colour).sort()
})()`

describe.skipIf(executablePath === undefined)('in Chromium', () => {
  const stack = new AsyncDisposableStack()
  let browser: Browser
  let url = ''
  let token = ''
  const said: string[] = []

  beforeAll(async () => {
    const folder = stack.use(await temporaryFolder())
    const base = String(await freePortBase([0, 1, 2, 3, 4]))
    const args = ['--json', '--workers', '2', '--data-dir', folder.path, '--port-base', base]
    const launcher = stack.use(startLauncher(program, args))
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ['--no-sandbox'] })
    stack.defer(() => browser.close())
    const ready: unknown = JSON.parse(await launcher.waitForLine(/^\{"ready"/, 120_000))
    if (!isObject(ready) || !isObject(ready['console'])) throw new Error('no ready line')
    url = String(ready['console']['url'])
    token = String(ready['console']['token'])
  })
  afterAll(() => stack.disposeAsync())

  interface Opened extends AsyncDisposable {
    readonly page: Page
    text(selector: string): Promise<string>
    seen(selector: string, text: RegExp): Promise<void>
  }

  async function open(
    path: string,
    options: { token?: string; scheme?: 'light' | 'dark'; width?: number } = {},
  ): Promise<Opened> {
    const { scheme = 'light', width = 1280 } = options
    const page = await browser.newPage({
      colorScheme: scheme,
      reducedMotion: 'reduce',
      viewport: { width, height: 800 },
    })
    page.setDefaultTimeout(60_000)
    page.on('pageerror', (error) => said.push(error.message))
    page.on('console', (message) => {
      // What a server refuses or cannot answer Chromium says by itself, also where the page expects it.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) said.push(message.text())
    })
    // The script takes the token out of the fragment while the page loads.
    if (options.token !== undefined) await page.goto(`${url}/#token=${options.token}`)
    await page.goto(`${url}/${path}`)
    const text = (selector: string): Promise<string> => page.locator(selector).first().innerText()
    return {
      page,
      text,
      async seen(selector, wanted) {
        const what = `${selector} ${wanted}`
        await waitUntil(async () => wanted.test(await text(selector)), { timeoutMs: 60_000, what })
      },
      [Symbol.asyncDispose]: () => page.close(),
    }
  }

  const asAdmin = (path: string, method = 'POST', body?: unknown): Promise<Response> =>
    fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })

  test('without a token everything is shown and nothing can be changed; a wrong one is refused', async () => {
    await using overview = await open('')
    await overview.seen('[data-service=counter] .status', /^ready$/)
    await waitUntil(async () => (await overview.page.locator('.panel').count()) === 4)
    await waitUntil(async () => (await overview.page.locator('[data-process]').count()) > 4)
    await expect(overview.page.locator('.chaos button:enabled').count()).resolves.toBe(0)
    await using stranger = await open('', { token: 'an-old-one' })
    await stranger.seen('[data-service=counter] .status', /needs a valid token/)
    const refused = await fetch(`${url}/counter/v1/counters/a/b/add`, { method: 'POST' })
    expect(refused.status).toBe(403)
    const expired = await fetch(`${url}/chaos/processes/counter/kill`, {
      method: 'POST',
      headers: { authorization: 'Bearer old' },
    })
    expect(expired.status).toBe(401)
    const changing = await fetch(`${url}/load-tolerant-api/api/data`)
    expect(changing.status).toBe(403)
  })

  test('an increment appears; one that is sent again does not count again', async () => {
    await using counter = await open('#/counter', { token })
    await counter.seen('.status', /^ready$/)
    await asAdmin('/counter/v1/counters/shop/orders/add', 'POST', { by: '41' })
    await counter.seen('tbody tr td.number', /^41$/)
    const { page } = counter
    await page.getByLabel('Counter', { exact: true }).fill('shop/orders')
    await page.getByRole('button', { name: 'Add', exact: true }).click()
    await counter.seen('.outcome.good', /shop\/orders is 42, durably/)
    await page.getByRole('button', { name: 'Send the same again' }).click()
    await counter.seen('.outcome.good', /42: answered again, not applied again/)
    // The list is read every so often; had the same been applied again, it would come to 51.
    await asAdmin('/counter/v1/counters/shop/orders/add', 'POST', { by: '8' })
    await counter.seen('tbody tr td.number', /^5/)
    await expect(counter.text('tbody tr td.number')).resolves.toBe('50')
  })

  test('a message that looks like markup is text', async () => {
    await using store = await open('#/message-store', { token })
    const hostile = '<img src=x onerror="document.title=`owned`"><script>document.title="owned"</script>'
    await store.page.getByLabel('Message').fill(hostile)
    await store.page.getByRole('button', { name: 'Put' }).click()
    await store.seen('.outcome.good', /Stored durably/)
    await store.page.getByRole('button', { name: 'Get and verify' }).click()
    await store.seen('pre', /onerror/)
    expect(await store.text('pre')).toBe(hostile)
    await expect(store.page.title()).resolves.not.toBe('owned')
    await expect(store.page.locator('main img').count()).resolves.toBe(0)
  })

  test('the slots of a worker that stops change colour, and a what-if is answered before', async () => {
    await asAdmin('/scaler/v1/rows', 'POST', { count: 500 })
    await using scaler = await open('#/scaler', { token })
    const { page } = scaler
    await scaler.seen('[data-worker=worker-1]', /alive/)
    await page.getByLabel('A worker that leaves').selectOption('worker-1')
    await page.getByLabel('Workers that join').fill('0')
    await page.getByRole('button', { name: 'What would it move?' }).click()
    await scaler.seen('.outcome.good', /It would move [1-9]\d* rows/)
    const colours = (): Promise<readonly string[]> => page.evaluate(coloursOfSlots)
    await waitUntil(async () => (await colours()).length === 2, { timeoutMs: 60_000 })
    const before = await colours()
    await asAdmin('/chaos/processes/worker-1/pause')
    await waitUntil(async () => (await colours()).join() !== before.join(), { timeoutMs: 60_000 })
    await scaler.seen('[data-worker=worker-1]', /gone/)
    expect(await colours()).not.toEqual(before)
    await asAdmin('/chaos/processes/worker-1/resume')
    await scaler.seen('[data-worker=worker-1]', /alive/)
  })

  test('a killed service says so and comes back without a reload, and nothing acknowledged is missing', async () => {
    await using overview = await open('', { token })
    const { page } = overview
    await overview.seen('[data-service=counter] .status', /^ready$/)
    await page.evaluate(`document.documentElement.dataset.notReloaded = 'yes'`)
    await page.getByRole('button', { name: 'Start the witness' }).click()
    await overview.seen('[data-promise=counter]', /own\s+[1-9]/)
    // Stopped, it is silent for as long as it takes to see; then it is killed.
    await page.getByRole('button', { name: 'pause counter' }).click()
    await overview.seen('[data-service=counter] .status', /down: paused/)
    await page.getByRole('button', { name: 'kill -9 counter' }).click()
    await overview.seen('[data-service=counter] .status', /^ready$/)
    await overview.seen('[data-process=counter]', /ready\s+1\b/)
    const acknowledged = async (): Promise<number> =>
      Number(/own\s+(\d+)/.exec(await overview.text('[data-promise=counter]'))?.[1])
    await overview.seen('[data-promise=counter]', /own\s+\d/)
    const before = await acknowledged()
    await waitUntil(async () => (await acknowledged()) > before + 1, { timeoutMs: 60_000 })
    expect(await overview.text('[data-promise=counter]')).toMatch(/own\b.*\s\d+\s+0\s+0$/)
    await page.getByRole('button', { name: 'Stop the witness' }).click()
    await overview.seen('.chaos', /Start the witness/)
    await expect(page.locator('html').getAttribute('data-not-reloaded')).resolves.toBe('yes')
  })

  test(
    'no page has a serious issue for who cannot see, point or read small print; none is wider than a phone',
    { timeout: 240_000 },
    async () => {
      const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
      for (const scheme of ['light', 'dark'] as const) {
        await using opened = await open('', { token, scheme, width: scheme === 'light' ? 1280 : 360 })
        const { page } = opened
        await opened.seen('[data-service=scaler] .status', /^ready$/)
        for (const path of ['', 'counter', 'message-store', 'scaler', 'load-tolerant-api']) {
          await page.evaluate(`location.hash = '#/${path}'`)
          await opened.seen('h1', path === '' ? /Overview/ : new RegExp(path))
          // Evaluated by the browser's own tools: the policy of the page lets no script in.
          const found: unknown = await page.evaluate(`${axe}; axe.run().then(({ violations }) => violations
          .filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' ').slice(0, 300)))`)
          expect(found, `${path} ${scheme}`).toEqual([])
          expect(
            await page.evaluate('document.documentElement.scrollWidth - innerWidth'),
            `${path} ${scheme}`,
          ).toBeLessThanOrEqual(0)
        }
      }
    },
  )

  test('no page complains', () => {
    expect(said).toEqual([])
  })
})
