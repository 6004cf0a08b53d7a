import { describeHostileInput } from '@ballast/service/hostile-input'
import { testApp } from '../src/test-app.ts'

describeHostileInput(
  'scaler',
  async () => {
    const { app } = await testApp()
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return { url, [Symbol.asyncDispose]: () => app.close() }
  },
  { jsonRoute: { method: 'POST', path: '/v1/rows' } },
)
