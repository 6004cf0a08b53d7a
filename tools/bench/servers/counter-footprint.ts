// What a file store takes: `node --expose-gc counter-footprint.ts <file> fill-counters|fill-tokens|use <count>` prints the
// seconds of its start, the peak of the resident memory, and how much the heap has grown by what was done.
import { openCounterStore } from '@ballast/state-stores/counter'
import { fillCounters, fillTokens } from '../suites/counter-fill.ts'

const [file = '', what = '', count = '0'] = process.argv.slice(2)
const bytesPerMb = 1_000_000
const heapBytes = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
const startedMs = performance.now()
const store = await openCounterStore(`file:${file}`)
const startSeconds = (performance.now() - startedMs) / 1000
const before = heapBytes()
if (what === 'fill-tokens') await fillTokens(store, Number(count))
else await fillCounters(store, Number(count))
const heapMb = (heapBytes() - before) / bytesPerMb
const rssMb = (process.resourceUsage().maxRSS * 1024) / bytesPerMb
process.stdout.write(JSON.stringify({ startSeconds, rssMb, heapMb }))
await store.close()
