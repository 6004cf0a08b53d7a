import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { dashboards, metricsIn } from './dashboards.ts'

/** Every expression of rules.yaml. */
export async function expressionsOfRules(): Promise<readonly string[]> {
  const text = await readFile(new URL('rules.yaml', import.meta.url), 'utf8')
  const { groups }: { groups: { rules: { expr: string }[] }[] } = parse(text)
  return groups.flatMap(({ rules }) => rules.map(({ expr }) => expr))
}

/** Names of all metrics that a dashboard or a rule asks for. */
export async function metricsAskedFor(): Promise<ReadonlySet<string>> {
  const panels = Object.values(dashboards).flatMap((panels) => panels.map(([, expression]) => expression))
  return new Set([...panels, ...(await expressionsOfRules())].flatMap((expression) => metricsIn(expression)))
}
