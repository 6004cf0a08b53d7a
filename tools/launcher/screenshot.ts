import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { freePortBase } from '../platform/ports.ts'
import { allServices } from '../platform/services/index.ts'
import { startPlatform } from '../platform/platform.ts'
import { startConsole } from './console/console-server.ts'
import { findChromium } from './fixtures/browser.ts'

/** `npm run screenshot`: docs/console.png, of the real platform with some work and a killed worker. About a minute and a half. */
const file = fileURLToPath(new URL('../../docs/console.png', import.meta.url))
const workForMs = 60_000

const executablePath = findChromium(process.env)
if (executablePath === undefined) {
  process.stderr.write('A screenshot needs Chromium: apt-get install chromium, or CHROMIUM=<path>.\n')
  process.exit(2)
}
const dataDir = await mkdtemp(join(tmpdir(), 'ballast-screenshot-'))
const portBase = await freePortBase([0, 1, 2, 3, 4])
const platform = await startPlatform({ services: allServices, dataDir, portBase, env: process.env, onLog: () => {} })
const overview = await startConsole({ platform, services: allServices, port: portBase })
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, deviceScaleFactor: 1 })
  await page.goto(overview.address)
  const stop = AbortSignal.timeout(workForMs)
  const ask = (path: string, method = 'POST', body?: unknown): Promise<unknown> =>
    fetch(`${overview.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${overview.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
      .then((response) => response.text())
      .catch(() => {})
  const work = async (everyMs: number, step: (round: number) => Promise<unknown>): Promise<void> => {
    for (let round = 0; !stop.aborted; round++) {
      await step(round)
      await delay(everyMs)
    }
  }
  await ask('/scaler/v1/rows', 'POST', { count: 10_000 })
  await ask('/chaos/witness/start')
  await Promise.all([
    ...Array.from({ length: 4 }, () =>
      work(20, (round) => ask(`/counter/v1/counters/shop/orders-${round % 5}/add`, 'POST', {})),
    ),
    work(40, (round) =>
      ask('/message-store/messages', 'POST', { message: `${round} ${'x'.repeat((round * 37) % 900)}` }),
    ),
    work(50, () => ask('/load-tolerant-api/api/data', 'GET')),
    delay(workForMs / 2).then(() => ask('/chaos/processes/worker-1/pause')),
    delay(workForMs * 0.8).then(() => ask('/chaos/processes/worker-1/resume')),
  ])
  await page.screenshot({ path: file, fullPage: true })
  process.stdout.write(`${file}\n`)
} finally {
  await browser.close()
  await overview.close()
  await platform.stop()
  await rm(dataDir, { recursive: true, force: true })
}
process.exit(0)
