import type {
  AutoscaleAnswer,
  Explained,
  History,
  Pause,
  PlanAnswer,
  RowPage,
  WhatIfAnswer,
  Workers,
} from './answers.ts'
import { table } from './table.ts'

/** Answers as text for people: pure. */

const at = (ms: number | null): string => (ms === null ? '-' : new Date(ms).toISOString())

export function showWorkers({ leader, workers }: Workers): string {
  const head = ['worker', 'state', 'rows', 'slots', 'weight', 'zone', 'longest gap']
  const rows = workers.map((worker) => [
    worker.name,
    worker.away ? 'away' : !worker.alive ? 'gone' : worker.draining ? 'draining' : 'alive',
    worker.rows,
    worker.slots,
    worker.weight,
    worker.zone === '' ? '-' : worker.zone,
    worker.longestGapTicks,
  ])
  const led = leader?.alive === true ? `leader: ${leader.name}, epoch ${leader.epoch}` : 'no control plane leads'
  return `${table(head, rows)}\n${led}`
}

export function showPause({ paused, sinceMs, resuming }: Pause): string {
  if (!paused) return resuming ? 'ticking, except for rows that a transaction holds' : 'ticking'
  return `paused since ${at(sinceMs)}${resuming ? ', being resumed' : ''}`
}

export function showRows({ count, rows, next }: RowPage): string {
  const listed = table(
    ['id', 'value', 'last tick', 'worker'],
    rows.map(({ id, value, lastTick, worker }) => [id, value, at(Number(lastTick) * 1000), worker]),
  )
  return `${listed}\n${count} rows${next === null ? '' : `; more with --after ${next}`}`
}

export function showExplained({ why, value, behindTicks, ownerSinceMs, history }: Explained): string {
  const before = history.map(
    ({ owner, sinceMs, cause }) => `  before: ${owner} since ${at(sinceMs)}${cause === null ? '' : `: ${cause}`}`,
  )
  return [why, `value ${value ?? 'NULL'}, ${behindTicks} ticks due, owned since ${at(ownerSinceMs)}`, ...before].join(
    '\n',
  )
}

export function showPlan({ workers, unowned, moving, last }: PlanAnswer): string {
  const rows = workers.map(({ name, alive, slots, targetSlots }) => [name, alive, slots, targetSlots])
  const plan =
    last === null
      ? 'no plan yet'
      : `last plan ${at(last.atMs)} (${last.cause}): moved ${last.movedRows} rows of at least ${last.minimumRows}, max/mean ${last.maxOverMean.toFixed(4)}`
  return `${table(['worker', 'alive', 'slots', 'target'], rows)}\n${unowned} unowned, ${moving} on the move\n${plan}`
}

export function showWhatIf({ rows, workers, joining, unownedRows, strategies }: WhatIfAnswer): string {
  const lines = strategies.map(({ strategy, active, movedRows, minimumRows, maxOverMean, adoptRows }) => [
    active ? `${strategy} *` : strategy,
    movedRows,
    minimumRows === 0 ? '-' : (movedRows / minimumRows).toFixed(3),
    maxOverMean.toFixed(4),
    adoptRows,
  ])
  const head = ['strategy', 'moved rows', 'over minimum', 'max/mean', 'rows to adopt it']
  const left = unownedRows > 0 ? `\nno worker would be left: nobody would tick the ${unownedRows} rows` : ''
  const who = joining.length > 0 ? `; ${joining.join(', ')} would join` : ''
  return `${table(head, lines)}\n${rows} rows, ${workers} workers now${who}; * is at work${left}`
}

export function showAutoscale({ target, paused, dryRun, status, cost }: AutoscaleAnswer): string {
  const mode = `target ${target}${paused ? ', paused' : ''}${dryRun ? ', dry run' : ''}`
  if (status === null) return `${mode}; this control plane does not lead: ask the one that does`
  const { rows, workers, wanted, reason, leaving } = status
  const lines = [`${rows} rows, ${workers} workers, ${wanted} wanted: ${reason}`, mode]
  if (leaving.length > 0) lines.push(`leaving: ${leaving.join(', ')}`)
  if (cost !== null && wanted !== workers) {
    lines.push(
      `moves ${cost.movedRows} rows of at least ${cost.minimumRows}, then max/mean ${cost.maxOverMean.toFixed(4)}`,
    )
  }
  return lines.join('\n')
}

export function showHistory({ events }: History): string {
  return events.map(({ atMs, kind, detail }) => `${at(atMs)}  ${kind}  ${JSON.stringify(detail)}`).join('\n')
}

export function showLimits(limits: Readonly<Record<string, number | boolean>>): string {
  return Object.entries(limits)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')
}
