import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { appProgram } from '../../platform/services/app.ts'
import type { Chapter, ChapterContext } from '../chapter.ts'
import { HttpClient } from '../http-client.ts'
import { count } from '../report.ts'
import { runTask } from '../run-task.ts'
import { bodyOf, digestOf, firstDifference, get, post } from './messages.ts'

const processes = 6
const messagesPerProcess = 500
const messageLength = 20
const survivors = 500

/** Everything over TLS, as the original was measured: POST -> GET -> DELETE of random messages, one after the other. */
export const messageStore: Chapter = {
  name: 'message-store',
  title: `the wire contract, the original's benchmark (-t ${processes} -c ${messagesPerProcess} -N ${messageLength}) and a SIGKILL, all over TLS`,

  async run(context) {
    const { platform, ca, check } = context
    using client = new HttpClient(platform.url('message-store'), { ca, connections: 32 })
    const difference = await firstDifference(client)
    check(
      'every answer is what the original says',
      difference === undefined,
      difference ?? 'status and body, byte for byte',
    )
    await benchmark(context)
    await surviveKill(context, client)
  },
}

async function benchmark({ platform, folder, ca, check, progress }: ChapterContext): Promise<void> {
  progress(`  ${processes} clients with ${messagesPerProcess} messages each`)
  const caFile = join(folder, 'ca.pem')
  await writeFile(caFile, ca)
  const flags = ['-t', String(processes), '-c', String(messagesPerProcess), '-N', String(messageLength)]
  const url = platform.url('message-store')
  const args = appProgram('message-store', 'bench', [...flags, '--url', url, '--ca', caFile])
  const { code, stdout, stderr } = await runTask(args, process.env)
  const summary = stdout.trim().split('\n').at(-1) ?? ''
  check(
    `the benchmark's ${count(processes * messagesPerProcess * 3)} requests all succeed`,
    code === 0,
    code === 0 ? summary : stderr,
  )
}

/** Posts, kills in the middle, posts the rest (again, where no answer came), and reads everything that was answered. */
async function surviveKill({ platform, check, progress }: ChapterContext, client: HttpClient): Promise<void> {
  const messages = Array.from({ length: survivors }, () => randomBytes(50).toString('hex'))
  const acknowledged: string[] = []
  const pending = [...messages]
  const poster = async (): Promise<void> => {
    for (let message = pending.shift(); message !== undefined; message = pending.shift()) {
      const reply = await post(client, message).catch(() => undefined)
      if (reply?.status !== 201 && reply?.status !== 200) {
        pending.push(message)
        await delay(50)
      } else if (acknowledged.push(message) === survivors / 2) {
        progress('  SIGKILL of the message store')
        platform.process('message-store').kill('SIGKILL')
      }
    }
  }
  await Promise.all(Array.from({ length: 32 }, poster))
  let found = 0
  for (const message of acknowledged) {
    const { status, body } = await get(client, digestOf(message))
    if (status === 200 && body === bodyOf(message)) found++
  }
  check('every acknowledged message survives a SIGKILL', found === survivors, `${found} of ${survivors} read back`)
}
