import { cpus, loadavg, totalmem, type CpuInfo } from 'node:os'

/** Where the figures come from: figures of different machines, or of a busy one, must not be compared. */
export function describeMachine(processors: readonly CpuInfo[] = cpus(), load: readonly number[] = loadavg()): string {
  const model = processors[0]?.model.trim() || 'unknown processor'
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`
  const [lastMinute = 0] = load
  const busy = lastMinute > processors.length / 2 ? ' (busy: trust ratios, not figures)' : ''
  return `${processors.length} x ${model}, ${memory}, Node ${process.versions.node}, ${process.platform} ${process.arch}, load ${lastMinute.toFixed(1)}${busy}`
}
