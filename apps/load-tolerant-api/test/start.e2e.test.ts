import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, test } from 'vitest'
import { get } from './load-client.ts'
import { run, start, stores } from './system.ts'

/** Exit code and stderr of a process that must not start. */
async function refusal(command: string, args: readonly string[], env: Record<string, string> = {}) {
  await using process = run(command, args, env)
  const { code } = await process.exit
  return { code, sentences: process.stderr }
}

test('a taken port, a folder that cannot be one, a damaged store, an unknown store: exit 2 and one sentence', async () => {
  await using folder = await temporaryFolder()
  const args = stores(folder.path)
  await using api = await start('api', args)
  const address = api.url.replace('http://', '')
  expect(await refusal('api', [...args, '--listen', address])).toEqual({
    code: 2,
    sentences: [expect.stringContaining(`${address} is taken`)],
  })

  const file = join(folder.path, 'file')
  await writeFile(file, '')
  expect(await refusal('api', [...args, '--stream', `lmdb:${file}/stream`])).toEqual({
    code: 2,
    sentences: [expect.stringContaining(`cannot write to the folder ${file}`)],
  })

  const damaged = join(folder.path, 'damaged')
  await mkdir(damaged)
  await writeFile(join(damaged, 'data.mdb'), 'x'.repeat(20_000))
  for (const command of ['api', 'consumer']) {
    expect(await refusal(command, [...args, '--listen', '127.0.0.1:0', '--documents', `lmdb:${damaged}`])).toEqual({
      code: 2,
      sentences: [expect.stringContaining('left as it is')],
    })
  }
  expect(await refusal('consumer', [...args, '--stream', 'nats:x'])).toEqual({
    code: 2,
    sentences: [
      expect.stringContaining('no stream backend for "nats:"; use lmdb:<folder>, redis://host:port/db or memory:'),
    ],
  })
}, 240_000)

test("the seed system's variables are understood", async () => {
  await using process = run('api', ['--print-config'], {
    APP_PORT: '3111',
    CACHE_TTL: '2',
    LOAD_TOLERANT_API_STREAM: 'memory:',
  })
  await process.exit
  expect(process.stdout.join('\n')).toMatch(/127\.0\.0\.1:3111/)
  expect(process.stdout.join('\n')).toMatch(/2s|2000/)
})

test('with --strict-assessment /readyz answers as the starter does while all is well', async () => {
  await using folder = await temporaryFolder()
  await using api = await start('api', [...stores(folder.path), '--strict-assessment'])
  const { status, body } = await get(`${api.url}/readyz`)
  expect([status, JSON.parse(body)]).toMatchObject([200, { status: 'ready' }])
})
