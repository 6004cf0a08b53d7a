import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installWithApt } from '@ballast/backends/debian'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { root } from '../image/apps.ts'
import { at } from '../kustomize/objects.ts'
import { dashboards, grafanaDashboard, metricsIn } from './dashboards.ts'
import { expressionsOfRules } from './expressions.ts'

const folder = join(root, 'deploy/monitoring')
const onPath = (): boolean => {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
const promtool = onPath() ? 'promtool' : await installWithApt('prometheus', 'promtool')
const wanted = process.env['BACKENDS'] === 'all'
const title = promtool === undefined ? ' (skipped: no promtool; it comes with Prometheus)' : ''

const run = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)(promtool ?? 'promtool', args, { cwd: folder })).stdout

describe.skipIf(promtool === undefined && !wanted)(`Prometheus${title}`, () => {
  test('takes the rules', async () => {
    expect(await run('check', 'rules', 'rules.yaml')).toContain('SUCCESS')
  })

  test('fires each alert on what it is for, and none on a healthy system', async () => {
    expect(await run('test', 'rules', 'rules.test.yaml')).toContain('Unit Testing')
  })
})

const alerts = async (): Promise<{ name: string; runbook: string }[]> => {
  const rules: unknown = parse(await readFile(join(folder, 'rules.yaml'), 'utf8'))
  const groups = at(rules, 'groups')
  if (!Array.isArray(groups)) throw new Error('rules.yaml has no groups')
  return groups
    .flatMap((group): unknown[] => [at(group, 'rules')].flat())
    .filter((rule) => at(rule, 'alert') !== undefined)
    .map((rule) => ({ name: String(at(rule, 'alert')), runbook: String(at(rule, 'annotations', 'runbook_url')) }))
}

test('each alert has a page that says what to do, and a test', async () => {
  const tests = await readFile(join(folder, 'rules.test.yaml'), 'utf8')
  for (const { name, runbook } of await alerts()) {
    expect(existsSync(join(root, runbook)), runbook).toBe(true)
    expect(await readFile(join(root, runbook), 'utf8')).toContain(`# ${name}\n`)
    expect(tests).toContain(`alertname: ${name}\n`)
  }
})

test('names of metrics are found in expressions', async () => {
  expect(metricsIn('sum by (le) (rate(a_b_seconds_bucket{x_y="1"}[5m])) > c_total')).toEqual(['a_b_seconds', 'c_total'])
  expect((await expressionsOfRules()).length).toBeGreaterThan(15)
})

test.each(Object.entries(dashboards))('the dashboard %s has a panel per line, none over another', (name, panels) => {
  const board: unknown = JSON.parse(grafanaDashboard(name, panels))
  const placed = panels.map((_, index) => JSON.stringify(at(board, 'panels', index, 'gridPos')))
  expect(new Set(placed).size).toBe(panels.length)
  expect(new Set(panels.map(([text]) => text)).size).toBe(panels.length)
})
