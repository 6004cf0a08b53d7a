import { randomInt } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Service } from '@ballast/service'
import type { BenchConfig } from '../config.ts'
import { Client } from './client.ts'
import { requestsPerMessage, roundTrip } from './round-trip.ts'

/**
 * The load test of the original service: tasks at the same time, each with one connection over which it sends its
 * messages one after the other. Throws at the first wrong answer; a rate of wrong answers is of no use.
 */
export async function bench({ config, operands }: Service<BenchConfig>, print: (line: string) => void): Promise<void> {
  const { url } = config
  const { tasks, count, length } = sizesOf(config, operands)
  const ca = config.ca === undefined ? undefined : await readFile(config.ca, 'utf8')
  print(`${tasks} tasks x ${count} messages of ${length} characters, POST -> GET -> DELETE each, at ${url}`)

  const startedMs = performance.now()
  await Promise.all(Array.from({ length: tasks }, () => runTask(url, ca, count, length)))
  const seconds = (performance.now() - startedMs) / 1000

  const requests = tasks * count * requestsPerMessage
  print(`Total requests: ${requests}`)
  print(`Total time: ${seconds.toFixed(3)} s`)
  print(`Requests per second: ${Math.round(requests / seconds)}`)
}

async function runTask(url: string, ca: string | undefined, count: number, length: number): Promise<void> {
  using client = new Client(url, ca)
  for (let index = 0; index < count; index++) await roundTrip(client, randomMessage(length))
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

function randomMessage(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** The original's `-t`, `-c` and `-N` go before the flags. */
function sizesOf(config: BenchConfig, operands: readonly string[]): { tasks: number; count: number; length: number } {
  const { values } = parseArgs({
    args: [...operands],
    options: {
      tasks: { type: 'string', short: 't' },
      count: { type: 'string', short: 'c' },
      length: { type: 'string', short: 'N' },
    },
  })
  const size = (name: 'tasks' | 'count' | 'length'): number => {
    const text = values[name]
    if (text === undefined) return config[name]
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new RangeError(`${name} must be a whole number above 0, not "${text}"`)
    return Number(text)
  }
  return { tasks: size('tasks'), count: size('count'), length: size('length') }
}
