import { existsSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { defineConfig, serviceOptions, text } from '../config/index.ts'
import { readFlags } from '../config/read-flags.ts'
import type { Check } from './check.ts'
import { doctorCommand } from './doctor-command.ts'
import { examine, report } from './examine.ts'
import { ownChecks } from './own-checks.ts'
import { storeCheck } from './store-check.ts'

const config = defineConfig({
  app: 'shop',
  prefix: 'SHOP',
  summary: 'Sells',
  options: { ...serviceOptions({ listen: '127.0.0.1:0' }), store: text({ default: 'memory:', help: 'where' }) },
})

/** What `shop doctor` prints and ends with. */
async function doctor(
  argv: readonly string[],
  checks: readonly Check[] = [],
): Promise<{ code: unknown; said: string }> {
  let said = ''
  const command = doctorCommand(
    config,
    () => checks,
    (piece) => (said += piece),
  )
  const prepared = command.prepare(readFlags(config.options, argv), { env: {}, readFile: () => '' })
  // A doctor needs no process around it.
  const code = await prepared.run({} as Parameters<typeof prepared.run>[0])
  return { code, said }
}

test('what can start is said line by line, and ends with 0', async () => {
  const fine = { name: '--store', look: async () => 'answers' }
  expect(await doctor([], [fine])).toEqual({
    code: 0,
    said: `ok      node      Node ${process.versions.node}; 24 or newer is needed
ok      --listen  127.0.0.1:0: any free port
ok      --store   answers
shop can start here.
`,
  })
})

test('a port that is taken, an address that is open to all and a store that fails each have their sentence, and it ends with 1', async () => {
  await using stack = new AsyncDisposableStack()
  const server = stack.adopt(createServer(), (each) => void each.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const broken = { name: '--store', look: () => Promise.reject(new Error('the disk is gone')) }
  const { code, said } = await doctor(['--metrics-listen', `127.0.0.1:${port}`, '--listen', '0.0.0.0:0'], [broken])
  expect(code).toBe(1)
  expect(said).toContain('not ok  --listen          --listen (SHOP_LISTEN) 0.0.0.0:0 is open to other machines')
  expect(said).toContain(`not ok  --metrics-listen  127.0.0.1:${port} is taken by another process; choose another with`)
  expect(said).toContain('not ok  --store           the disk is gone\n')
  expect(said).toMatch(/shop cannot start here: 3 of 4 are not ok\.\n$/)
})

test('files of certificates and tokens are read; an old Node is too old', async () => {
  await using folder = await temporaryFolder()
  const missing = join(folder.path, 'cert.pem')
  const { said } = await doctor(['--tls-cert', missing, '--tls-key', missing, '--auth', 'tokens'])
  expect(said).toMatch(/not ok {2}--tls-cert {2}--tls-cert .*cert\.pem cannot be read: ENOENT/)
  expect(said).toMatch(/not ok {2}--auth {6}--auth tokens needs --auth-tokens <file>/)
  const settings = { ...config.options, listen: '127.0.0.1:0' }
  const [node] = ownChecks('SHOP', settings as unknown as Parameters<typeof ownChecks>[1], '22.1.0')
  await expect(node?.look()).rejects.toThrow('Node 22.1.0 is too old: 24 or newer is needed')
})

test('a look that hangs ends', async () => {
  const findings = await examine([{ name: '--store', look: () => new Promise(() => {}) }], 50)
  expect(report('shop', findings)).toBe(`not ok  --store  no answer within 0.05 s
shop cannot start here: 1 of 1 are not ok.
`)
})

test('a file that is not there is tried beside its place, and nothing stays; one that is there is opened itself', async () => {
  await using folder = await temporaryFolder()
  const opened: string[] = []
  const closed: string[] = []
  const open = async (url: string) => {
    opened.push(url)
    return { check: async () => {}, [Symbol.asyncDispose]: async () => void closed.push(url) }
  }
  const path = join(folder.path, 'data/deep/shop.json')
  const sentence = await storeCheck('--store', `file:${path}?mode=shared`, open).look()
  expect(sentence).toMatch(/shop\.json can be made \(\d+ ms\), [\d.]+ GiB are free there$/)
  expect(opened[0]).toMatch(/^file:.*\/\.doctor-\w+\/shop\.json\?mode=shared$/)
  expect(readdirSync(folder.path)).toEqual([])
  await writeFile(join(folder.path, 'shop.json'), '{}')
  const there = `file:${join(folder.path, 'shop.json')}`
  await expect(storeCheck('--store', there, open).look()).resolves.toMatch(/shop\.json can be used/)
  expect(opened[1]).toBe(there)
  expect(closed).toEqual(opened)
  expect(existsSync(path)).toBe(false)
})

test('a server is asked, and its password not shown; what fails while it is asked is still closed', async () => {
  let closed = 0
  const close = async (): Promise<void> => void closed++
  const silent = { check: () => Promise.reject(new Error('no answer')), [Symbol.asyncDispose]: close }
  const url = 'redis://user:hunter2@localhost/0'
  await expect(storeCheck('--store', url, async () => silent, 0).look()).rejects.toThrow('no answer')
  expect(closed).toBe(1)
  // Some connect when they are asked: not yet is not no.
  let asked = 0
  const check = async (): Promise<void> => {
    if (++asked < 3) throw new Error('it has not been reached yet')
  }
  const said = await storeCheck('--store', url, async () => ({ ...silent, check })).look()
  expect(said).toMatch(/^redis:.*localhost\/0 answers \(\d+ ms\)$/)
  expect(said).not.toContain('hunter2')
})
