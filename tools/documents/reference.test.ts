import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { withFigures } from './figures.ts'
import { keptSuites } from './kept-suite.ts'
import { codeOf, documents, read, root } from './markdown.ts'
import { performanceFiles } from './performance.ts'
import { flagOf, references, variableOf, workerMetrics } from './reference.ts'
import { apps, commandSchemas, metricsIn, ports, problemsOf, schemesOf } from './schemas.ts'

const hint = 'npm run docs writes it'
const schemas = await commandSchemas()

test('settings, errors, metrics and performance are what the code and the figures say', async () => {
  for (const [name, text] of Object.entries({ ...(await references()), ...performanceFiles() })) {
    const path = `docs/${name}`
    expect(existsSync(join(root, path)) ? read(path) : '', `${path}: ${hint}`).toBe(text)
  }
})

test('figures of a bench in a text are those that are kept', () => {
  const suites = keptSuites()
  let found = 0
  for (const document of documents()) {
    expect(read(document), `${document}: ${hint}`).toBe(withFigures(document, read(document), suites))
    found += read(document).split('<!--figure ').length - 1
  }
  expect(found).toBeGreaterThan(10)
})

test.each(documents())('variables named in %s exist', (document) => {
  const known = new Set(
    schemas.flatMap(({ definition: { prefix, options } }) => [
      `${prefix}_CONFIG`,
      ...Object.entries(options).flatMap(([name, { env }]) => [variableOf(prefix, name), ...env]),
    ]),
  )
  const named = read(document).match(/\b(?:COUNTER|MESSAGE_STORE|SCALER|LOAD_TOLERANT_API)_[A-Z][A-Z_]*[A-Z]\b/g) ?? []
  expect(named.filter((name) => !known.has(name) && !known.has(name.replace(/_FILE$/, '')))).toEqual([])
})

test.each(apps)('flags named in the README of %s exist', (app) => {
  const others = ['--help', '--print-config', '--config', '--version']
  const options = schemas
    .filter((schema) => schema.app === app)
    .flatMap(({ definition }) => Object.entries(definition.options))
  const known = new Set([
    ...others,
    ...options.flatMap(([name, { kind }]) => [flagOf(name), ...(kind === 'flag' ? [flagOf(`no-${name}`)] : [])]),
  ])
  const named = codeOf(read(`apps/${app}/README.md`)).flatMap(
    (code) => /^(--[a-z][a-z-]*[a-z])(?:[ =].*)?$/.exec(code)?.[1] ?? [],
  )
  expect(named.filter((flag) => !known.has(flag) && !foreignFlags.has(flag))).toEqual([])
})

/** Of other programs, and `--queue-max-*`, which names several. */
const foreignFlags = new Set(['--quick', '--long-seconds', '--url', '--rate', '--only', '--delay-ms'])

const written = documents().filter((path) => !['docs/settings.md', 'docs/metrics.md'].includes(path))

test.each(written)('metrics named in %s exist', (document) => {
  const folders = [...apps.map((app) => `apps/${app}/src`), 'libs/service/src', 'libs/metrics/src']
  const known = new Set([...metricsIn(folders).map(({ name }) => name), ...apps.flatMap(workerMetrics)])
  const app = apps.find((name) => document.startsWith(`apps/${name}/`))?.replaceAll('-', '_') ?? ''
  const named = codeOf(read(document)).flatMap((code) => {
    const full = /^((?:counter|message_store|scaler|load_tolerant_api|http_server)_[a-z_]+[a-z])(?:\{.*)?$/.exec(
      code,
    )?.[1]
    const short = /^(_[a-z_]+[a-z])(?:\{.*)?$/.exec(code)?.[1]
    return full ?? (short === undefined ? [] : `${app}${short}`)
  })
  expect(named.filter((name) => !known.has(name) && !tables.has(name))).toEqual([])
})

/** Names in databases, which look like metrics; ARCHITECTURE.md has a file pattern. */
const tables = new Set(['counter_fill', 'counter_schema', 'load_tolerant_api_id', '_id'])

test('problem codes named in the documents exist', async () => {
  const all = await Promise.all(apps.map(problemsOf))
  const errors = read('docs/errors.md')
  const known = new Set([...errors.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, code]) => code))
  for (const types of all) for (const code of Object.keys(types)) expect(known).toContain(code)
  for (const document of documents()) {
    const rows = [...read(document).matchAll(/^\| `([a-z-]+)` \| (?:4|5)\d\d \|/gm)].map(([, code]) => code)
    expect(
      rows.filter((code) => !known.has(code)),
      document,
    ).toEqual([])
    const after = [...read(document).matchAll(/\b[45]\d\d `([a-z-]+)`/g)].map(([, code]) => code)
    expect(
      after.filter((code) => !known.has(code)),
      document,
    ).toEqual([])
  }
})

test('every scheme of every port is in "choosing a store", and nothing else is', () => {
  const text = read('docs/choosing-a-store.md')
  for (const [port, file] of Object.entries(ports)) {
    const row = new RegExp(`^\\| ${port} \\| .*$`, 'm').exec(text)?.[0] ?? ''
    const named = codeOf(row).flatMap((code) => /^([a-z0-9+]+):$/.exec(code)?.[1] ?? [])
    expect(named.toSorted(), port).toEqual(schemesOf(file))
  }
  const known = new Set(Object.values(ports).flatMap(schemesOf))
  for (const document of documents()) {
    const named = codeOf(read(document)).flatMap((code) => /^([a-z0-9+]+):(?:\/\/.*)?$/.exec(code)?.[1] ?? [])
    expect(
      named.filter((scheme) => !known.has(scheme) && !['http', 'https', 'docker', 'urn', 'retry'].includes(scheme)),
      document,
    ).toEqual([])
  }
})

test('the readers of sources find what is there', () => {
  expect(metricsIn(['apps/counter/src']).length).toBeGreaterThan(15)
  expect(schemesOf(ports['counters'] ?? '')).toContain('dynamodb')
  expect(schemas.map(({ app, command }) => `${app} ${command}`)).toEqual(
    expect.arrayContaining(['counter serve', 'scaler control-plane', 'scaler rows', 'load-tolerant-api consumer']),
  )
})
