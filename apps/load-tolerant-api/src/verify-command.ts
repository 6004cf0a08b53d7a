import { readFile } from 'node:fs/promises'
import { ConfigError, sentence, type Service } from '@ballast/service'
import { openDocumentStore } from '@ballast/state-stores/document'
import { openPartitions } from '@ballast/state-stores/stream'
import { settings, type VerifyConfig } from './config.ts'
import { type Report, verify } from './verify.ts'

/**
 * The task `verify`: exit code 0 when nothing is lost or doubled, 1 when something is, 2 when that could not be found out: a store
 * that does not answer in time has lost nothing.
 */
export async function verifyCommand(service: Service<VerifyConfig>, print: (text: string) => void): Promise<number> {
  const report = await look(service).catch((error: unknown) => {
    throw new ConfigError(`nothing was verified: ${sentence(error)}`, { cause: error })
  })
  print(service.config.json ? `${JSON.stringify(report)}\n` : asText(report))
  return report.ok ? 0 : 1
}

async function look(service: Service<VerifyConfig>): Promise<Report> {
  const { config } = service
  const acknowledged = config.acknowledged === undefined ? [] : await readIds(config.acknowledged)
  const stream = await openPartitions(config.stream, { setting: settings.stream })
  service.onClose('stream', () => stream.close())
  const documents = await openDocumentStore(config.documents, { setting: settings.documents })
  service.onClose('documents', () => documents.close())
  const { allowQueued, maxUnacknowledged } = config
  return verify({ stream, documents, acknowledged, allowQueued, maxUnacknowledged })
}

async function readIds(path: string): Promise<readonly string[]> {
  const lines = (await readFile(path, 'utf8')).split('\n')
  if (lines.at(-1) === '') lines.pop()
  const wrong = lines.findIndex((line) => !/^[0-9a-f]{24}$/.test(line))
  if (wrong >= 0)
    throw new Error(`${path} line ${wrong + 1} is no id of 24 hex digits: ${JSON.stringify(lines[wrong])}`)
  return lines
}

function asText(report: Report): string {
  const { acknowledged, stored, dead, queued, totalStored, totalDead, totalQueued, unacknowledged, unreadableEntries } =
    report
  const lines = [
    `acknowledged ${acknowledged} = stored ${stored} + dead ${dead} + queued ${queued}`,
    `in all: stored ${totalStored}, dead ${totalDead}, queued ${totalQueued}; never acknowledged ${unacknowledged}`,
    ...(unreadableEntries > 0 ? [`entries that cannot be read: ${unreadableEntries}`] : []),
    ...report.violations.map((sentence) => `VIOLATION: ${sentence}`),
    report.ok ? 'verified: nothing lost, nothing twice' : `${report.violationCount} violations`,
  ]
  return `${lines.join('\n')}\n`
}
