// Asks one URL over and over for some seconds and counts what went wrong; half of the clients keep their connection, the
// others open a new one each time. Runs in the node's network, where Services have their addresses:
// node load.mjs '{"url", "seconds", "method", "body", "clients", "pauseMs", "collect": {"key", "file"}, "each"}'
//   {unique} in the body is replaced by what no other request has
//   collect   writes the strings that answers have at this key into a file, one a line
//   each      a file of lines: each takes the place of {line} in the URL, once, instead of a time
// Prints one line of JSON.
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

const { url, seconds = 0, method = 'GET', body, clients = 4, pauseMs = 10, collect, each } = JSON.parse(process.argv[2])
const until = performance.now() + seconds * 1000
const lines = each === undefined ? undefined : readFileSync(each, 'utf8').split('\n').filter(Boolean)
const collected = []
const failed = {}
let ok = 0
let sent = 0

function ask(agent, target) {
  const text = body?.replaceAll('{unique}', `${process.pid}-${process.hrtime.bigint()}-${sent++}`)
  const headers =
    text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return new Promise((resolve, reject) => {
    const asked = request(target, { method, headers, agent, signal: AbortSignal.timeout(10_000) }, (response) => {
      const chunks = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode, text: Buffer.concat(chunks).toString() }))
      response.on('error', reject)
    })
    asked.on('error', reject)
    asked.end(text)
  })
}

async function client(_, number) {
  const agent = number % 2 === 0 ? false : new Agent({ keepAlive: true, maxSockets: 1 })
  for (;;) {
    const line = lines?.pop()
    if (lines === undefined ? performance.now() >= until : line === undefined) break
    try {
      const { status, text } = await ask(agent, url.replace('{line}', line))
      if (status >= 200 && status < 300) {
        ok++
        if (collect !== undefined) collected.push(JSON.parse(text)[collect.key])
      } else failed[status] = (failed[status] ?? 0) + 1
    } catch (error) {
      const why = error.code ?? error.name
      failed[why] = (failed[why] ?? 0) + 1
    }
    if (pauseMs > 0 && lines === undefined) await delay(pauseMs)
  }
  if (agent) agent.destroy()
}

await Promise.all(Array.from({ length: clients }, client))
if (collect !== undefined)
  writeFileSync(
    collect.file,
    collected
      .flat()
      .map((text) => `${text}\n`)
      .join(''),
  )
process.stdout.write(`${JSON.stringify({ ok, failed })}\n`)
