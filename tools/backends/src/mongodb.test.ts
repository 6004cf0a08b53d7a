import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@ballast/testing'
import { expect, onTestFinished, test } from 'vitest'
import { startBackend } from './index.ts'

test('a mongod on PATH is preferred to the stand-in, and told its folder, port and TLS', async () => {
  await using folder = await temporaryFolder()
  const calls = join(folder.path, 'calls')
  const listen = 'require("node:net").createServer().listen(Number(process.argv[1]), "127.0.0.1")'
  const answer = `case "$1" in --version) echo "db version v8.0.21"; exit 0;; esac`
  const server = `echo "$@" >> "${calls}"; exec "${process.execPath}" -e '${listen}' "$6"`
  writeFileSync(join(folder.path, 'mongod'), `#!/bin/sh\n${answer}\n${server}\n`, { mode: 0o755 })
  const { PATH, BACKENDS_ENGINE = '' } = process.env
  process.env['PATH'] = `${folder.path}:${PATH}`
  process.env['BACKENDS_ENGINE'] = 'none'
  onTestFinished(() => void Object.assign(process.env, { PATH, BACKENDS_ENGINE }))

  await using mongod = await startBackend('mongodb', { tls: true })
  const { port } = new URL(mongod.url)
  expect(mongod).toMatchObject({ origin: 'path', version: '8.0.21', ca: expect.stringContaining('CERTIFICATE') })
  expect(mongod.url).toBe(`mongodb://127.0.0.1:${port}/?directConnection=true&tls=true`)
  const [call = ''] = readFileSync(calls, 'utf8').split('\n')
  expect(call).toMatch(
    new RegExp(
      `^--dbpath \\S+/data --bind_ip 127\\.0\\.0\\.1 --port ${port} --quiet --tlsMode requireTLS --tlsCertificateKeyFile \\S+/server\\.pem$`,
    ),
  )
  const [, keyFile = ''] = /--tlsCertificateKeyFile (\S+)/.exec(call) ?? []
  expect(readFileSync(keyFile, 'utf8')).toMatch(/BEGIN CERTIFICATE[^]*BEGIN PRIVATE KEY/)
})
