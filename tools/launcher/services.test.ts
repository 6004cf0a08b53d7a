import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder, type TestProcess } from '@ballast/testing'
import { expect, test } from 'vitest'
import { isObject } from '../platform/log-record.ts'
import { freePortBase } from '../platform/ports.ts'
import { probe } from '../platform/probe.ts'
import { allServices } from '../platform/services/index.ts'
import { startLauncher } from './fixtures/start-launcher.ts'

// The launcher with the services that it is for.
const program = fileURLToPath(new URL('main.ts', import.meta.url))

async function launcher(dataDir: string, ...args: string[]): Promise<TestProcess> {
  const portBase = await freePortBase([0, 1, 2, 3, 4])
  return startLauncher(program, ['--json', '--data-dir', dataDir, '--port-base', String(portBase), ...args])
}

async function readyUrls(process: TestProcess): Promise<Record<string, string>> {
  const line: unknown = JSON.parse(await process.waitForLine(/^\{"ready"/, 60_000))
  if (!isObject(line) || !isObject(line['services'])) throw new Error(`not the ready line: ${JSON.stringify(line)}`)
  return Object.fromEntries(
    Object.entries(line['services']).map(([name, service]) => [name, isObject(service) ? String(service['url']) : '']),
  )
}

test(
  'all services start on embedded stores, answer, drain on SIGTERM, and find their data at the next start',
  { timeout: 60_000 },
  async () => {
    await using folder = await temporaryFolder()
    {
      await using first = await launcher(folder.path)
      const urls = await readyUrls(first)
      expect(Object.keys(urls)).toEqual(allServices.map(({ name }) => name))
      const answers = await Promise.all(Object.values(urls).map((url) => probe(`${url}/readyz`)))
      expect(answers.map(({ status }) => status)).toEqual(allServices.map(() => 200))
      const counted = await fetch(urls['counter'] ?? '', { method: 'POST' })
      await expect(counted.json()).resolves.toEqual({ counter: 1 })
      first.kill('SIGTERM')
      await expect(first.exit).resolves.toEqual({ code: 0, signal: null })
      expect(first.stderr.filter((line) => !/"level":"(info|debug)"/.test(line))).toEqual([
        'Stopping; a second Ctrl-C does not wait.',
      ])
    }
    await using second = await launcher(folder.path, '--only', 'counter')
    const { counter = '' } = await readyUrls(second)
    await expect(probe(counter)).resolves.toEqual({ status: 200, body: '{"counter":1}' })
  },
)

test('a corrupt counter file: one sentence that names it, exit 2, and the file is as it was', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'counter', 'counter.json')
  await mkdir(join(folder.path, 'counter'))
  await writeFile(path, '{"torn":')
  await using process = await launcher(folder.path, '--only', 'counter')
  await expect(process.exit).resolves.toEqual({ code: 2, signal: null })
  expect(process.stderr.at(-1)).toMatch(new RegExp(`^counter cannot start: (?!cannot).*${path}.*--store`))
  expect(process.stdout).toEqual([])
  await expect(readFile(path, 'utf8')).resolves.toBe('{"torn":')
})
