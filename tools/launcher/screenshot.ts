import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { freePortBase } from '../platform/ports.ts'
import { startPlatform } from '../platform/platform.ts'
import { allServices } from '../platform/services/index.ts'
import { startConsole } from './console/console-server.ts'
import { findChromium } from './fixtures/browser.ts'
import { photograph } from './screenshot/photograph.ts'
import { startCrowd } from './fixtures/crowd.ts'
import { work } from './screenshot/work.ts'

const usage = `Usage: npm run screenshot [-- <folder>]

Writes docs/console.png: the console of the real platform after some work, with a worker that was paused and came back. About 90 s.
  <folder>   instead, every page into it: light and dark, 1280 and 360 px wide, and the scaler and the counter as 200 workers,
             a million rows and 100,000 counters fill them
`
const workForMs = 60_000

async function main(argv: readonly string[]): Promise<number> {
  const [folder] = argv
  if (argv.includes('--help')) {
    process.stdout.write(usage)
    return 0
  }
  const found = await findChromium(process.env)
  if ('missing' in found) {
    process.stderr.write(`A screenshot needs a browser: ${found.missing}.\n`)
    return 2
  }
  await using stack = new AsyncDisposableStack()
  const dataDir = await mkdtemp(join(tmpdir(), 'ballast-screenshot-'))
  stack.defer(() => rm(dataDir, { recursive: true, force: true }))
  const port = await freePortBase([0, 1, 2, 3, 4])
  const platform = await startPlatform({
    services: allServices,
    dataDir,
    portBase: port,
    env: process.env,
    onLog: () => {},
  })
  stack.defer(() => platform.stop())
  const overview = await startConsole({ platform, services: allServices, port })
  stack.defer(() => overview.close())
  const { address, url, token } = overview
  const browser = await chromium.launch({ executablePath: found.executablePath, args: ['--no-sandbox'] })
  stack.defer(() => browser.close())
  // The page has to be open while work is done: its plots begin with it.
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  await page.goto(address)
  if (folder === undefined) {
    await work(url, token, workForMs)
    const file = fileURLToPath(new URL('../../docs/console.png', import.meta.url))
    await page.screenshot({ path: file, fullPage: true })
    process.stdout.write(`${file}\n`)
    return 0
  }
  const crowd = stack.use(await startCrowd())
  const working = work(url, token, 2 * workForMs)
  for await (const file of photograph(browser, resolve(folder), { platform: url, address, ...crowd })) {
    process.stdout.write(`${file}\n`)
  }
  await working
  return 0
}

process.exit(await main(process.argv.slice(2)))
