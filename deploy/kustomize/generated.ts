import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { dashboards, grafanaDashboard } from '../monitoring/dashboards.ts'
import { kustomizationOf, scenarios } from './scenarios.ts'

export const overlays = ['dev', 'staging', 'prod', 'seed', 'small-node'] as const

/** Every file below deploy/ that is made from another one, by path: written by `npm run deploy:render`, compared by a test. */
export async function generatedFiles(): Promise<ReadonlyMap<string, string>> {
  const rules: unknown = parse(await readFile(new URL('../monitoring/rules.yaml', import.meta.url), 'utf8'))
  const rule = {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'ballast' },
    spec: rules,
  }
  const boards = Object.entries(dashboards).map(
    ([name, panels]) => [`components/monitoring/dashboards/${name}.json`, grafanaDashboard(name, panels)] as const,
  )
  const combinations = scenarios().map(
    (scenario) => [`scenarios/${scenario.name}/kustomization.yaml`, kustomizationOf(scenario)] as const,
  )
  // JSON is YAML.
  return new Map([
    ['components/monitoring/prometheus-rule.yaml', `${JSON.stringify(rule, null, 1)}\n`],
    ...boards,
    ...combinations,
  ])
}
