import { createWriteStream } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { runConnection } from './connection.ts'
import type { LoadOptions, LoadResult } from './options.ts'
import { percentiles } from './percentiles.ts'
import { requestBytes } from './request-bytes.ts'
import type { Answer } from './response-reader.ts'

/** How long after the end of the load answers are still awaited. */
const lastAnswersMs = 15_000

async function run({
  url,
  ca,
  connections,
  durationMs,
  warmUpMs = 0,
  ratePerSecond,
  request,
  collect,
}: LoadOptions): Promise<LoadResult> {
  const target = new URL(url)
  const next = requestBytes(request, target.host, Math.floor(Math.random() * 36 ** 6))
  const collector = collect && createWriteStream(collect.file)
  const latencies: number[] = []
  const refused: Record<number, number> = {}
  const broken: Record<string, number> = {}
  let collected = 0
  const startMs = performance.now()
  const countFromMs = startMs + warmUpMs
  const endMs = countFromMs + durationMs

  const onAnswer = ({ status, body }: Answer, latencyMs: number): void => {
    if (status < 200 || status > 299) {
      refused[status] = (refused[status] ?? 0) + 1
      return
    }
    if (collect && collector) {
      const strings = stringsAt(body, collect.key)
      collected += strings.length
      const lines = collect.quoted === true ? strings.map((text) => `"${text}"`) : strings
      collector.write(`${lines.join('\n')}\n`)
    }
    const nowMs = performance.now()
    if (nowMs >= countFromMs && nowMs < endMs) latencies.push(latencyMs)
  }
  const onBroken = (reason: string): void => {
    broken[reason] = (broken[reason] ?? 0) + 1
  }
  let begun = 0
  const nextDueMs = (): number =>
    ratePerSecond === undefined ? performance.now() : startMs + (begun++ * 1000) / ratePerSecond
  const clients = Array.from({ length: connections }, () =>
    runConnection({
      url: target,
      ca,
      next: () => {
        const dueMs = nextDueMs()
        return dueMs < endMs ? { bytes: next(), dueMs } : undefined
      },
      onAnswer,
      onBroken,
    }),
  )
  let finished = false
  await Promise.race([
    Promise.all(clients).then(() => (finished = true)),
    new Promise((resolve) => setTimeout(resolve, endMs - performance.now() + lastAnswersMs)),
  ])
  if (!finished) onBroken(`no answer within ${lastAnswersMs / 1000} s after the end`)
  if (collector) await new Promise((resolve) => collector.end(resolve))
  const [p50 = 0, p95 = 0, p99 = 0, max = 0] = percentiles(Float64Array.from(latencies), 50, 95, 99, 100)
  const requests = latencies.length
  return {
    requests,
    perSecond: (requests * 1000) / durationMs,
    refused,
    broken,
    latencyMs: { p50, p95, p99, max },
    collected,
  }
}

function stringsAt(body: Buffer, key: string): readonly string[] {
  const value: unknown = JSON.parse(body.toString())
  const list: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  if (!Array.isArray(list)) throw new Error(`an answer has no list "${key}": ${body.toString().slice(0, 200)}`)
  return list.filter((item) => typeof item === 'string')
}

const result = await run(workerData as LoadOptions)
// The rule is about windows; a port has no origin.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(result)
// Connections that are still waiting for an answer are of no interest any more.
process.exit()
