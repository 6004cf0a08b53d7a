// Adds to a counter over and over, on a new connection each time, for some seconds, and counts what went wrong:
// node load.mjs <url> <seconds>. Prints one line of JSON. Runs in the node's network, where Services have their addresses.
import { setTimeout as delay } from 'node:timers/promises'

const [url, seconds] = [process.argv[2], Number(process.argv[3])]
const until = performance.now() + seconds * 1000
let ok = 0
const failed = {}

async function client() {
  while (performance.now() < until) {
    try {
      const headers = { connection: 'close' }
      const response = await fetch(url, { method: 'POST', headers, signal: AbortSignal.timeout(5_000) })
      await response.arrayBuffer()
      if (response.ok) ok++
      else failed[response.status] = (failed[response.status] ?? 0) + 1
    } catch (error) {
      const why = error.cause?.code ?? error.name
      failed[why] = (failed[why] ?? 0) + 1
    }
    await delay(10)
  }
}

await Promise.all(Array.from({ length: 4 }, client))
process.stdout.write(`${JSON.stringify({ ok, failed })}\n`)
