import { temporaryFolder } from '@ballast/testing'
import { describeHostileInput } from '@ballast/service/hostile-input'
import { start, stores } from './system.ts'

describeHostileInput('load-tolerant-api', async () => {
  const folder = await temporaryFolder()
  const api = await start('api', stores(folder.path))
  return {
    url: api.url,
    async [Symbol.asyncDispose]() {
      await api[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
})
