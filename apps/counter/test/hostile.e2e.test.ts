import { join } from 'node:path'
import { describeHostileInput } from '@ballast/service/hostile-input'
import { temporaryFolder } from '@ballast/testing'
import { startCounter } from './counter-process.ts'

describeHostileInput(
  'counter',
  async () => {
    const folder = await temporaryFolder()
    const counter = await startCounter(join(folder.path, 'counter.json'), '--request-timeout-ms', '6s')
    return {
      url: counter.url,
      async [Symbol.asyncDispose]() {
        await counter[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      },
    }
  },
  { jsonRoute: { method: 'PUT', path: '/v1/counters/hostile/input' }, requestTimeoutMs: 6_000 },
)
