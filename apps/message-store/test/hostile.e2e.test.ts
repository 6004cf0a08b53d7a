import { describeHostileInput } from '@ballast/service/hostile-input'
import { temporaryFolder } from '@ballast/testing'
import { startMessageStore } from './message-store-process.ts'

const mebibyte = 1_048_576

describeHostileInput(
  'message-store',
  async () => {
    const folder = await temporaryFolder()
    const limits = ['--request-timeout-ms', '6s', '--body-limit-bytes', String(mebibyte)]
    const server = await startMessageStore(folder.path, ...limits)
    return {
      url: server.url,
      async [Symbol.asyncDispose]() {
        await server[Symbol.asyncDispose]()
        await folder[Symbol.asyncDispose]()
      },
    }
  },
  { jsonRoute: { method: 'POST', path: '/messages' }, requestTimeoutMs: 6_000, bodyLimitBytes: mebibyte },
)
