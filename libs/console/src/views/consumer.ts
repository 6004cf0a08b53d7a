import { mean, rate, total, type Sample } from '../sample.ts'
import { count, decimal, duration, inMs, perSecond } from './format.ts'
import type { View } from './view.ts'

const commands = 'load_tolerant_api_write_commands_total'

export const commandsCap = ({ state }: Sample): number | undefined =>
  typeof state['commandsPerSecond'] === 'number' ? state['commandsPerSecond'] : undefined

export const consumerView: View = {
  title: 'consumer',
  promise: 'Moves what is queued to the document store, with no more write commands a second than it may use.',
  figures: (now, before) => [
    { label: 'commands/s', value: `${decimal(rate(now, before, commands))} of ${count(commandsCap(now))}` },
    { label: 'documents', value: perSecond(rate(now, before, 'load_tolerant_api_documents_total')) },
    { label: 'in one command', value: decimal(mean(now, before, 'load_tolerant_api_command_documents')) },
    { label: 'a command', value: duration(inMs(mean(now, before, 'load_tolerant_api_flush_seconds'))) },
    { label: 'failed rounds', value: count(total(now, 'load_tolerant_api_flush_failures_total')) },
  ],
  plots: [
    {
      title: 'Write commands a second',
      unit: '/s',
      lines: [
        { label: 'commands', of: (now, before) => rate(now, before, commands) },
        { label: 'cap', of: commandsCap, bound: true },
      ],
    },
    {
      title: 'Documents in one command',
      unit: '',
      lines: [{ label: 'mean', of: (now, before) => mean(now, before, 'load_tolerant_api_command_documents') }],
    },
  ],
}
