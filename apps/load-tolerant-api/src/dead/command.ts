import { ConfigError, type Service } from '@ballast/service'
import { type Backlog, type BuriedDocument, openPartitions } from '@ballast/state-stores/stream'
import { boundsOf, type DeadConfig, settings } from '../config.ts'
import { type LetterFilter, pagesOf, replay, type ReplayReport } from './dead-letters.ts'

type Print = (text: string) => void

/** The task `dead list|replay`: exit code 1 when something could not be replayed. */
export async function deadCommand(service: Service<DeadConfig>, print: Print): Promise<number> {
  const { config, operands } = service
  const [action] = operands
  if (action !== 'list' && action !== 'replay') {
    throw new ConfigError(`dead list or dead replay, not dead ${JSON.stringify(action)}`)
  }
  const stream = await openPartitions(config.stream, {
    setting: settings.stream,
    bounds: boundsOf(config),
    partitions: 'existing',
  })
  service.onClose('stream', () => stream.close())
  if (action === 'replay') {
    const report = await replay(stream, config)
    print(config.json ? `${JSON.stringify(report)}\n` : asText(report))
    return report.unknown === 0 && report.full === null ? 0 : 1
  }
  const count = await list(pagesOf(stream, filterOf(config)), config.json, print)
  if (!config.json) print(asTotal(count, await stream.backlog()))
  return 0
}

const filterOf = ({ id, reason }: LetterFilter): LetterFilter => ({ id, reason })

async function list(pages: AsyncIterable<readonly BuriedDocument[]>, json: boolean, print: Print): Promise<number> {
  let count = 0
  for await (const page of pages) {
    count += page.length
    for (const letter of page) print(json ? `${JSON.stringify(summaryOf(letter))}\n` : lineOf(letter))
  }
  return count
}

/** A letter without its body. */
export const summaryOf = ({ id, reason, buriedAtMs, deliveries, body }: BuriedDocument) => ({
  id,
  reason,
  buriedAt: new Date(buriedAtMs).toISOString(),
  deliveries,
  bytes: body.byteLength,
})

function lineOf(letter: BuriedDocument): string {
  const { id, buriedAt, bytes, reason } = summaryOf(letter)
  // A reason can hold what a server said about a document: one line a letter, whatever it is.
  return `${id}  ${buriedAt}  ${bytes} bytes  ${JSON.stringify(reason).slice(1, -1)}\n`
}

/** What waits for a newer release is queued and not dead, but who looks for a write that does not arrive looks here. */
function asTotal(letters: number, { parkedEntries }: Backlog): string {
  const total = `${letters} dead letters\n`
  if (parkedEntries === 0) return total
  return `${total}${parkedEntries} queued entries are in the format of a newer release: start a consumer of that release\n`
}

function asText({ replayed, unknown, full }: ReplayReport): string {
  const lines = [`${replayed} dead letters are queued again`]
  if (unknown > 0) lines.push(`${unknown} were not there`)
  if (full !== null) lines.push(`stopped: the queue is at its bound (${full}); try again when it has drained`)
  return `${lines.join('\n')}\n`
}
