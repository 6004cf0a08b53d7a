import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess, temporaryFolder } from '@ballast/testing'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const entry = fileURLToPath(new URL('fixture/main.ts', import.meta.url))

test('a bundle runs in a bare folder, with the parts that are loaded only when asked for', async () => {
  await using folder = await temporaryFolder()
  await build({
    entryPoints: [entry],
    outdir: folder.path,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  })
  await writeFile(join(folder.path, 'package.json'), '{"type":"module"}')
  const args = [
    'main.js',
    '--log-format',
    'pretty',
    '--otlp-endpoint',
    'http://127.0.0.1:9',
    '--trace-sample-percent',
    '0',
  ]
  await using child = startProcess({ args, cwd: folder.path, env: { NO_COLOR: '1' } })
  const [url = ''] = /http:\/\/[\d.:]+/.exec(await child.waitForLine(/url: /)) ?? []
  expect(child.stdout[0]).toMatch(/^\[[\d:.]+\] INFO \(fixture\): listening$/)
  expect((await fetch(`${url}/openapi.json`)).status).toBe(200)
  const invalid = await fetch(`${url}/slow?ms=x`)
  await expect(invalid.json()).resolves.toMatchObject({ code: 'invalid-request' })
  child.kill('SIGTERM')
  await expect(child.exit).resolves.toEqual({ code: 0, signal: null })
})
